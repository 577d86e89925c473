"""Copies a recording that takes its time into the store while it arrives, so that work on it can begin.

It is read from the file that the upload is written to anyway, so the upload never waits for the copy.
Whatever goes wrong here only means that the work begins later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO

from chassis.errors import InterviewError
from chassis.reading_order import MAX_HEAD_BYTES, reads_from_front
from chassis.store import MediaStore
from chassis.store.arriving import ArrivalLostError, ArrivingWriter
from chassis.store.writing import opened_file
from gateway.sessions import Orchestrator
from gateway.uploads.forms import Spool

logger = logging.getLogger(__name__)

PART_BYTES = 1 << 20
COPY_INTERVAL_S = 1.0
"""Between two looks for what has arrived. Each makes one object in the store."""
LAST_LOOK_S = 0.05
"""The same once the upload has ended, and the rest is being written to the disk."""
LAST_COPY_TIMEOUT_S = 30.0
"""How long the rest of a recording may take after its upload. Then the stages begin by themselves."""

Follow = Callable[[], Awaitable[bool]]
"""Tells the orchestrator of a recording. Returns whether it is worked on."""
OnFile = Callable[[Spool, int, str], None]
"""Is told that a file begins to arrive: where it goes, its position from 1 on, and its language (BCP-47,
empty to detect it) as far as the form has said it."""


def on_no_file(_spool: Spool, _position: int, _language_code: str) -> None:
    """Do nothing with a file that begins to arrive."""


class EarlyCopies:
    """Copies recordings while they arrive.

    Args:
        orchestrator: Is told of them.
        store: Takes them.
        max_count: Recordings at once. 0: none.
        after_s: How long a recording arrives before it is copied. A faster one gains nothing.
        copy_interval_s: Between two looks for what has arrived.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        store: MediaStore,
        *,
        max_count: int,
        after_s: float,
        copy_interval_s: float = COPY_INTERVAL_S,
    ) -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._max_count = max_count
        self._after_s = after_s
        self._copy_interval_s = copy_interval_s
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def of(self, session_id: str) -> AsyncIterator[OnFile]:
        """Copy the recordings of an upload that is received in the block.

        If the block raises, nothing of what still arrives stays. Else the rest is copied behind it.
        """
        broken = asyncio.Event()
        copying = []

        def on_file(spool: Spool, position: int, language_code: str) -> None:
            if self._max_count > 0:
                copy = _Copy(spool, ArrivingWriter(self._store, session_id, position), broken)
                follow = partial(self._orchestrator.follow_recording, session_id, position, language_code)
                task = asyncio.create_task(self._copied(copy, follow))
                copying.append(task)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        try:
            yield on_file
        except BaseException:
            # Told, and not cancelled: a write that was begun goes on behind a cancelled task.
            broken.set()
            raise
        finally:
            if copying:
                asyncio.get_running_loop().call_later(LAST_COPY_TIMEOUT_S, broken.set)

    async def _copied(self, copy: _Copy, follow: Follow) -> None:
        try:
            if await self._is_slow(copy) and self._count < self._max_count:
                self._count += 1
                try:
                    await self._copy(copy, follow)
                finally:
                    self._count -= 1
        except ArrivalLostError:
            logger.info("a recording is not copied any further while it arrives")
        except (InterviewError, OSError) as error:
            kind = error.reason if isinstance(error, InterviewError) else type(error).__name__
            logger.warning("a recording could not be copied while it arrives", extra={"reason": kind})

    async def _is_slow(self, copy: _Copy) -> bool:
        """Tell whether a recording still arrives after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._after_s):
                await copy.broken.wait()
        return not copy.broken.is_set() and not copy.spool.has_ended

    async def _copy(self, copy: _Copy, follow: Follow) -> None:
        async with opened_file(copy.spool.path) as source:
            if not await self._is_from_front(copy, source):
                return
            try:
                await copy.writer.begin()
                if await self._copy_on(copy, source, follow):
                    await copy.writer.finish()
                else:
                    await copy.writer.abandon()
            except BaseException:
                await asyncio.shield(_abandoned(copy.writer))
                raise

    async def _is_from_front(self, copy: _Copy, source: IO[bytes]) -> bool:
        """Tell whether there is any use in it: not where the index comes last."""
        while not copy.broken.is_set():
            head = await asyncio.to_thread(_read_at, source, 0, MAX_HEAD_BYTES)
            if (found := reads_from_front(head)) is not None or copy.spool.has_ended:
                return bool(found)
            await asyncio.sleep(self._copy_interval_s)
        return False

    async def _copy_on(self, copy: _Copy, source: IO[bytes], follow: Follow) -> bool:
        """Copy what comes. Returns whether all has come, and somebody reads it."""
        followed = False
        while not copy.broken.is_set():
            # Looked at first: what is read afterwards is all that there is.
            has_ended = copy.spool.has_ended
            data = await asyncio.to_thread(_read_at, source, copy.writer.size_bytes, PART_BYTES)
            if data:
                await copy.writer.append(data)
                if not followed and not (followed := await follow()):
                    return False
            elif has_ended and copy.writer.size_bytes == copy.spool.size_bytes:
                return followed
            if len(data) < PART_BYTES:
                await asyncio.sleep(self._copy_interval_s if not has_ended else LAST_LOOK_S)
        return False


@dataclass(frozen=True)
class _Copy:
    """One recording on its way."""

    spool: Spool
    writer: ArrivingWriter
    broken: asyncio.Event


async def _abandoned(writer: ArrivingWriter) -> None:
    try:
        await writer.abandon()
    except InterviewError as error:  # The orchestrator's sweep finds it.
        logger.warning("a copy of a recording stays until the sweep", extra={"reason": error.reason})


def _read_at(source: IO[bytes], begin: int, size_bytes: int) -> bytes:
    source.seek(begin)
    return source.read(size_bytes)
