"""An orchestrator that accepts everything at once, so that only the gateway is measured."""

from __future__ import annotations

from gateway.sessions import AnswerView, Capabilities, SessionDraft, SessionState, SessionView


class Accepting:
    """What an upload asks of the orchestrator."""

    async def create_session(self, draft: SessionDraft) -> SessionView:
        """Accept it."""
        answers = tuple(AnswerView(answer.position) for answer in draft.answers)
        return SessionView(draft.session_id, SessionState.QUEUED, 0.0, answers=answers)

    async def get_capabilities(self) -> Capabilities:
        """Offer one language and one rubric."""
        return Capabilities(("en",), ("general",))

    async def ping(self) -> None:
        """Be there."""
