"""From a received form to a durable session: under which id, and in which order.

Media first, then the session: an answer 200 means that both are durable. The media go where the orchestrator
refuses the session, and only there: it may have accepted one although its answer was lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath

from chassis.errors import (
    ExhaustedError,
    ForbiddenError,
    InterviewError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
from chassis.store import MediaStore
from gateway.callers import Client
from gateway.sessions import AnswerDraft, Orchestrator, SessionDraft, SessionState, SessionView
from gateway.uploads.forms import ReceivedFile, Submission

logger = logging.getLogger(__name__)

SECRET_KEY = "gateway/session-id-secret"  # noqa: S105  # the place, not the secret
"""Where the store keeps the secret. No session lies there."""
SECRET_BYTES = 32
ID_CHARACTERS = 32
UNCERTAIN_RETRY_S = 30.0
MEDIA_NOT_FOUND = "MEDIA_NOT_FOUND"
OF_GRPC = "RESOURCE_EXHAUSTED"
"""Reason of an error that is gRPC's own."""


def media_prefix(session_id: str) -> str:
    """Return the store's folder of a session's recordings."""
    return f"sessions/{session_id}/media"


def media_key(session_id: str, position: int, extension: str) -> str:
    """Return the store's key of a recording."""
    return f"{media_prefix(session_id)}/{position}{extension}"


def new_session_id() -> str:
    """Return an identifier that nobody can guess."""
    return secrets.token_hex(ID_CHARACTERS // 2)


class Submitter:
    """Makes sessions durable.

    Args:
        orchestrator: Takes the session.
        store: Takes the recordings.
        secret: Makes the identifiers of uploads with an idempotency key. Empty: one that the store keeps.
    """

    def __init__(self, orchestrator: Orchestrator, store: MediaStore, secret: bytes = b"") -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._secret = secret
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

    async def session_id(self, client: Client, idempotency_key: str) -> str:
        """Return the identifier that belongs to a client's idempotency key, always the same one.

        Only who knows the secret can work it out. All replicas know the same one.

        Raises:
            InterviewError: The store, which holds the secret, is away.
        """
        if not self._secret:
            self._secret = await self._kept_secret()
        text = f"{client.group}\0{client.name}{client.address}\0{idempotency_key}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:ID_CHARACTERS]

    async def _kept_secret(self) -> bytes:
        try:
            return await self._store.get_bytes(SECRET_KEY)
        except NotFoundError:
            # Another replica may do the same at this moment. What it wrote first is everybody's.
            await self._store.put_bytes_once(SECRET_KEY, secrets.token_bytes(SECRET_BYTES))
            return await self._store.get_bytes(SECRET_KEY)

    async def lacks_media(self, session: SessionView) -> bool:
        """Tell whether a session still needs recordings that are not in the store."""
        if session.state in (SessionState.COMPLETED, SessionState.CANCELLED):
            return False
        stored = await self._store.list(media_prefix(session.session_id))
        positions = {PurePosixPath(item.key).stem for item in stored}
        return any(str(answer.position) not in positions for answer in session.answers)

    async def check_same(self, session_id: str, submission: Submission) -> None:
        """Refuse an upload that is not the one whose session exists. Nothing is stored.

        Raises:
            PreconditionError: It has other recordings, questions or settings (`SESSION_DIFFERS`).
        """
        answers = [
            self._answer(session_id, position, question, rubric_id, file)
            for position, question, rubric_id, file in _answers(submission)
        ]
        name, language = submission.candidate_name, submission.language_code
        await create_session(self._orchestrator, SessionDraft(session_id, name, language, tuple(answers)))

    async def submit(self, session_id: str, submission: Submission) -> SessionView:
        """Store the recordings and create the session.

        Where it is certain that there is no session, nothing stays. Where it is not, the recordings stay,
        and the orchestrator's sweep decides.

        Raises:
            InterviewError: The store or the orchestrator refused or is away.
        """
        written: list[str] = []
        try:
            answers = [
                await self._store_answer(session_id, position, question, rubric_id, file, written)
                for position, question, rubric_id, file in _answers(submission)
            ]
        except BaseException:
            # Shielded: a cancelled request still cleans up behind itself.
            await asyncio.shield(self._remove(session_id, written))
            raise
        name, language = submission.candidate_name, submission.language_code
        draft = SessionDraft(session_id, name, language, tuple(answers))
        try:
            session = await create_session(self._orchestrator, draft)
        except InterviewError as error:
            if is_refusal(error):
                await asyncio.shield(self._remove(session_id, written))
            raise
        return await self._completed(session, draft, dict(zip(written, submission.files, strict=True)))

    async def _completed(
        self, session: SessionView, draft: SessionDraft, files: Mapping[str, ReceivedFile]
    ) -> SessionView:
        """Put back what another upload of the same session, on another replica, has removed meanwhile."""
        gone = await self._gone(files)
        for key in gone:
            await self._store.put_file(key, files[key].path)
        if gone:
            session = await create_session(self._orchestrator, draft)
        if session.state == SessionState.FAILED and session.reason == MEDIA_NOT_FOUND:
            with suppress(PreconditionError):  # It is at work again already.
                return await self._orchestrator.retry_session(session.session_id)
        return session

    async def _gone(self, keys: Iterable[str]) -> list[str]:
        try:
            return [key for key in keys if not await self._store.exists(key)]
        except InterviewError as error:  # They were there a moment ago, and the session is accepted.
            logger.warning("recordings could not be looked for", extra={"reason": error.reason})
            return []

    async def _remove(self, session_id: str, keys: Sequence[str]) -> None:
        """Remove recordings that were stored in vain. Those of a session that exists are never removed."""
        try:
            await self._orchestrator.get_session(session_id)
        except NotFoundError:
            for key in keys:
                await self._store.delete(key)
        except InterviewError as error:
            logger.warning("recordings stay until the sweep", extra={"reason": error.reason})

    async def _store_answer(
        self,
        session_id: str,
        position: int,
        question: str,
        rubric_id: str,
        file: ReceivedFile,
        written: list[str],
    ) -> AnswerDraft:
        key = media_key(session_id, position, file.extension)
        written.append(key)
        await self._store.put_file(key, file.path)
        return self._answer(session_id, position, question, rubric_id, file)

    def _answer(
        self, session_id: str, position: int, question: str, rubric_id: str, file: ReceivedFile
    ) -> AnswerDraft:
        return AnswerDraft(
            position=position,
            question=question,
            uri=self._store.uri(media_key(session_id, position, file.extension)),
            file_name=file.name,
            digest=file.digest,
            media_bytes=file.size_bytes,
            rubric_id=rubric_id,
        )


def _answers(submission: Submission) -> Iterator[tuple[int, str, str, ReceivedFile]]:
    places = range(1, len(submission.files) + 1)
    return zip(places, submission.questions, submission.rubric_ids, submission.files, strict=True)


def is_refusal(error: InterviewError) -> bool:
    """Tell whether an error of `create_session` says that there is no session. Else that is not certain."""
    if isinstance(error, ExhaustedError):
        return error.reason != OF_GRPC  # gRPC's own may be about the answer of a call that did its work.
    return isinstance(error, InvalidInputError | NotFoundError | PreconditionError | ForbiddenError)


async def create_session(orchestrator: Orchestrator, draft: SessionDraft) -> SessionView:
    """Create a session. Where the answer is lost, ask whether it was created after all.

    Raises:
        UnavailableError: Whether it was created is not certain (`UPLOAD_UNCERTAIN`).
        InterviewError: It was refused.
    """
    try:
        return await orchestrator.create_session(draft)
    except InterviewError as error:
        if is_refusal(error):
            raise
        logger.warning("not certain whether a session was created", extra={"reason": error.reason})
        try:
            return await orchestrator.get_session(draft.session_id)
        except InterviewError:  # Not found is no proof: it may be created at this moment.
            raise UnavailableError(
                "It is not certain that the upload was accepted. Send it again in half a minute with the same"
                f" Idempotency-Key. If it had none, look at /status/{draft.session_id} first.",
                reason="UPLOAD_UNCERTAIN",
                retry_after_s=UNCERTAIN_RETRY_S,
            ) from error
