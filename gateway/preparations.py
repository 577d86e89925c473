"""Sessions whose recordings are still being fetched, before the orchestrator has them.

The client is answered first, as in the original. So that nothing is lost, the session is written to
the store before the answer (`pending/<session_id>.json`), and a gateway that starts takes up what lies there.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    InterviewError,
    NotFoundError,
    UnavailableError,
)
from chassis.store import MediaStore
from gateway.downloads import Downloader
from gateway.sessions import (
    AnswerDraft,
    AnswerView,
    Orchestrator,
    SessionDraft,
    SessionState,
    SessionView,
    StageState,
    StageView,
)
from gateway.uploads.links import LinkedAnswer, LinkedSession
from gateway.uploads.submission import create_session, media_key, media_prefix

logger = logging.getLogger(__name__)

PENDING_PREFIX = "pending"
FIRST_RETRY_S = 1.0
MAX_RETRY_S = 30.0
"""An orchestrator that is away is asked again after 1, 2, 4 … 30 s, for as long as it takes."""


@dataclass
class _Preparation:
    session: LinkedSession
    begin_time_s: float
    downloads: dict[int, StageView] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def note(self, position: int, state: StageState, reason: str = "", message: str = "") -> None:
        self.downloads[position] = StageView("download", state, reason=reason, message=message)
        self.announce()

    def announce(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Preparations:
    """Fetches the recordings of linked sessions in the background.

    Args:
        orchestrator: Takes the sessions once their recordings are there.
        store: Takes the recordings.
        downloader: Fetches them.
        max_concurrent_downloads: How many at once, over all sessions.
        spool_dir: Folder for a recording while it arrives; None: the system's.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        store: MediaStore,
        downloader: Downloader,
        max_concurrent_downloads: int,
        spool_dir: Path | None = None,
    ) -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._downloader = downloader
        self._slots = asyncio.Semaphore(max_concurrent_downloads)
        self._spool_dir = spool_dir
        self._running: dict[str, _Preparation] = {}

    async def accept(self, session: LinkedSession) -> None:
        """Take a session on; when this returns, it survives a restart."""
        await self._store.put_bytes(_pending_key(session.session_id), session.to_json())
        self._start(session)

    async def resume(self) -> None:
        """Take up what an earlier process left; called once, at start."""
        for item in await self._store.list(PENDING_PREFIX):
            session = LinkedSession.from_json(await self._store.get_bytes(item.key))
            if session.session_id not in self._running and not session.refusal:
                self._start(session)

    def view(self, session_id: str) -> SessionView | None:
        """Return the state of a session that this process is preparing, or None."""
        preparation = self._running.get(session_id)
        return _view(preparation) if preparation else None

    async def stored_view(self, session_id: str) -> SessionView | None:
        """Return the state of a session that another replica is preparing, or None."""
        try:
            session = LinkedSession.from_json(await self._store.get_bytes(_pending_key(session_id)))
        except NotFoundError:
            return None
        return _view(_Preparation(session, time.time()))

    async def changes(self, session_id: str) -> AsyncIterator[SessionView]:
        """Yield a session's states until its preparation ends."""
        while preparation := self._running.get(session_id):
            changed = preparation.changed
            yield _view(preparation)
            await changed.wait()

    async def cancel(self, session_id: str) -> SessionView | None:
        """Stop a preparation and remove all of it; None where there is none."""
        preparation = self._running.get(session_id)
        if preparation is None or preparation.task is None:
            return None
        preparation.task.cancel()
        await asyncio.wait([preparation.task])
        await self._store.delete(_pending_key(session_id))
        await self._store.delete_prefix(media_prefix(session_id))
        return replace(_view(preparation), state=SessionState.CANCELLED)

    async def discard(self, session_id: str) -> bool:
        """Remove a session that the orchestrator does not have yet; False where there is none."""
        if await self.cancel(session_id) is not None:
            return True
        if not await self._store.exists(_pending_key(session_id)):
            return False
        await self._store.delete(_pending_key(session_id))
        await self._store.delete_prefix(media_prefix(session_id))
        return True

    async def aclose(self) -> None:
        """Stop all; they are taken up again at the next start."""
        tasks = [preparation.task for preparation in self._running.values() if preparation.task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _start(self, session: LinkedSession) -> None:
        preparation = _Preparation(session, time.time())
        self._running[session.session_id] = preparation
        preparation.task = asyncio.create_task(self._prepare(preparation))
        # Not in the task's own `finally`: a task that is cancelled before its first step never gets there.
        preparation.task.add_done_callback(lambda _: self._end(preparation))

    def _end(self, preparation: _Preparation) -> None:
        self._running.pop(preparation.session.session_id, None)
        preparation.announce()

    async def _prepare(self, preparation: _Preparation) -> None:
        session = preparation.session
        try:
            answers = await asyncio.gather(*(self._fetch(preparation, answer) for answer in session.answers))
            draft = SessionDraft(
                session.session_id,
                session.candidate_name,
                session.language_code,
                tuple(answers),
                session.rubric_id,
            )
            await self._hand_over(draft)
            await self._store.delete(_pending_key(session.session_id))
        except InterviewError as error:
            refused = replace(session, refusal=error.message)
            await self._store.put_bytes(_pending_key(session.session_id), refused.to_json())
        except Exception:
            # What is pending stays in the store: the next start tries again.
            logger.exception("preparation failed", extra={"session_id": session.session_id})

    async def _fetch(self, preparation: _Preparation, answer: LinkedAnswer) -> AnswerDraft:
        """Fetch one recording. Its failure is the answer's own: the others go on."""
        draft = AnswerDraft(
            answer.position,
            answer.question,
            unavailable_reason=answer.unavailable_reason,
            rubric_id=answer.rubric_id,
        )
        if answer.unavailable_reason:
            preparation.note(answer.position, StageState.FAILED, answer.unavailable_reason)
            return draft
        async with self._slots:
            preparation.note(answer.position, StageState.RUNNING)
            try:
                draft = await self._store_recording(preparation.session.session_id, answer)
            except InterviewError as error:
                preparation.note(answer.position, StageState.FAILED, error.reason, error.message)
                return replace(draft, unavailable_reason=error.reason)
        preparation.note(answer.position, StageState.DONE)
        return draft

    async def _store_recording(self, session_id: str, answer: LinkedAnswer) -> AnswerDraft:
        with tempfile.TemporaryDirectory(prefix="download-", dir=self._spool_dir) as folder:
            path = Path(folder) / "recording"
            fetched = await self._downloader.fetch(answer.url, path)
            key = media_key(session_id, answer.position, fetched.extension)
            await self._store.put_file(key, path)
        return AnswerDraft(
            position=answer.position,
            question=answer.question,
            uri=self._store.uri(key),
            file_name=f"video_{answer.position}{fetched.extension}",
            digest=fetched.digest,
            media_bytes=fetched.size_bytes,
            rubric_id=answer.rubric_id,
        )

    async def _hand_over(self, draft: SessionDraft) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            try:
                await create_session(self._orchestrator, draft)
                return
            except (DeadlineError, ExhaustedError, UnavailableError) as error:
                logger.warning("orchestrator away, will try again", extra={"reason": error.reason})
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, MAX_RETRY_S)


def _pending_key(session_id: str) -> str:
    return f"{PENDING_PREFIX}/{session_id}.json"


def _view(preparation: _Preparation) -> SessionView:
    waiting = StageView("download", StageState.PENDING)
    session = preparation.session
    return SessionView(
        session_id=session.session_id,
        state=SessionState.FAILED if session.refusal else SessionState.DOWNLOADING,
        create_time_s=preparation.begin_time_s,
        answers=tuple(
            AnswerView(answer.position, (preparation.downloads.get(answer.position, waiting),))
            for answer in session.answers
        ),
        candidate_name=session.candidate_name,
        message=session.refusal,
    )
