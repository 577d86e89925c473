"""An orchestrator that accepts everything at once, so that only the gateway is measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway.sessions import (
    AnswerView,
    Capabilities,
    SessionDraft,
    SessionEvent,
    SessionState,
    SessionView,
)


class Accepting:
    """What an upload asks of the orchestrator."""

    async def create_session(self, draft: SessionDraft) -> SessionView:
        """Accept it."""
        answers = tuple(AnswerView(answer.position) for answer in draft.answers)
        return SessionView(draft.session_id, SessionState.QUEUED, 0.0, answers=answers)

    async def follow_recording(self, session_id: str, position: int, language_code: str) -> bool:
        """Work on no recording early."""
        del session_id, position, language_code
        return False

    async def get_capabilities(self) -> Capabilities:
        """Offer one language and one rubric."""
        return Capabilities(("en",), ("general",))

    async def get_session(self, session_id: str) -> SessionView:
        """Know every session, and have it at work."""
        return SessionView(session_id, SessionState.PROCESSING, 0.0, answers=(AnswerView(1),))

    async def watch_session(self, session_id: str, after_event_id: int | None) -> AsyncIterator[SessionEvent]:
        """Send one event, then nothing."""
        yield SessionEvent((after_event_id or 0) + 1, await self.get_session(session_id), 1.0)
        await asyncio.Event().wait()

    async def ping(self) -> None:
        """Be there."""
