"""From a received form to a durable session: under which id, and in which order.

Media first, then the session: an answer 200 means that both are durable. Whatever fails, the media go.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.errors import DeadlineError, InterviewError, NotFoundError, PreconditionError
from chassis.store import MediaStore
from gateway.sessions import AnswerDraft, Orchestrator, SessionDraft, SessionView
from gateway.uploads.forms import ReceivedFile, Submission


def media_prefix(session_id: str) -> str:
    """Return the store's folder of a session's recordings."""
    return f"sessions/{session_id}/media"


def media_key(session_id: str, position: int, extension: str) -> str:
    """Return the store's key of a recording."""
    return f"{media_prefix(session_id)}/{position}{extension}"


def new_session_id() -> str:
    """Return an identifier that nobody can guess."""
    return uuid.uuid4().hex


def session_id_for_key(client: str, idempotency_key: str) -> str:
    """Return the identifier that belongs to a client's idempotency key, always the same one."""
    return hashlib.sha256(f"{client}\0{idempotency_key}".encode()).hexdigest()[:32]


class Submitter:
    """Makes sessions durable.

    Args:
        orchestrator: Takes the session.
        store: Takes the recordings.
    """

    def __init__(self, orchestrator: Orchestrator, store: MediaStore) -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._in_flight: set[str] = set()

    async def existing(self, session_id: str) -> SessionView | None:
        """Return the session of this identifier, or None."""
        try:
            return await self._orchestrator.get_session(session_id)
        except NotFoundError:
            return None

    @contextmanager
    def only_one(self, session_id: str) -> Iterator[None]:
        """Keep a second upload of the same session out of the block.

        Raises:
            PreconditionError: One is in the block already.
        """
        if session_id in self._in_flight:
            raise PreconditionError(
                "An upload with this Idempotency-Key is under way. Wait for its answer.",
                reason="DUPLICATE_IN_PROGRESS",
            )
        self._in_flight.add(session_id)
        try:
            yield
        finally:
            self._in_flight.discard(session_id)

    async def submit(self, session_id: str, submission: Submission) -> SessionView:
        """Store the recordings and create the session. On any failure nothing of it stays.

        Raises:
            InterviewError: The store or the orchestrator refused or is away.
        """
        try:
            answers = [
                await self._store_answer(session_id, position, question, rubric_id, file)
                for position, (question, rubric_id, file) in enumerate(
                    zip(submission.questions, submission.rubric_ids, submission.files, strict=True), start=1
                )
            ]
            draft = SessionDraft(
                session_id, submission.candidate_name, submission.language_code, tuple(answers)
            )
            return await create_session(self._orchestrator, draft)
        except BaseException:
            # Shielded: a cancelled request still cleans up behind itself.
            await asyncio.shield(self._store.delete_prefix(media_prefix(session_id)))
            raise

    async def _store_answer(
        self, session_id: str, position: int, question: str, rubric_id: str, file: ReceivedFile
    ) -> AnswerDraft:
        key = media_key(session_id, position, file.extension)
        await self._store.put_file(key, file.path)
        return AnswerDraft(
            position=position,
            question=question,
            uri=self._store.uri(key),
            file_name=file.name,
            digest=file.digest,
            media_bytes=file.size_bytes,
            rubric_id=rubric_id,
        )


async def create_session(orchestrator: Orchestrator, draft: SessionDraft) -> SessionView:
    """Create a session. Where the answer was late, ask whether it was created after all.

    Raises:
        InterviewError: It was not created.
    """
    try:
        return await orchestrator.create_session(draft)
    except DeadlineError as late:
        try:
            return await orchestrator.get_session(draft.session_id)
        except InterviewError:
            raise late from None
