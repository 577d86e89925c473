"""The audit log as the orchestrator uses it.

* A change is written down before it is made, and it is not made where that can't be done. Its end is written
  down before the answer is given. A record `begun` without an end says that the process died in between.
* What is only read is noted and written within `FLUSH_S`. Repeats within `REPEAT_S` become one record with a
  count. A process that is killed loses what it has not written yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from chassis.acting import OURSELVES, current_actor
from chassis.audit_chain import Head
from chassis.counted import Counted
from chassis.errors import InterviewError, UnavailableError
from orchestrator.audit.records import BEGUN, OK, Action, Detail, Event, event
from orchestrator.audit.table import AuditTable, Fields
from orchestrator.durable.trouble import REASON, RETRY_AFTER_S, DatabaseTrouble

T = TypeVar("T")
P = ParamSpec("P")
logger = logging.getLogger(__name__)

FLUSH_S = 1.0
REPEAT_S = 60.0
MAX_NOTED_COUNT = 10_000
"""Kinds of notes that wait to be written. What goes beyond is counted in one record (`notes.dropped`)."""
WRITTEN_COUNT = 500
"""Notes in one transaction. Others wait for the database meanwhile."""
THREAD_COUNT = 2
MS_PER_S = 1000


class Change:
    """A change while it is made. What is known at its end only is put into `details`."""

    def __init__(self) -> None:
        self.details: dict[str, Detail] = {}


class Audit(Protocol):
    """What changes and reads are written down with."""

    async def append(self, action: Action, session_id: str, outcome: str = OK, **details: Detail) -> None:
        """Write a record. When this returns, it is durable.

        Raises:
            UnavailableError: It can't be written (`DATABASE_UNAVAILABLE`).
        """

    def note(self, action: Action, session_id: str, outcome: str = OK, **details: Detail) -> None:
        """Have a record written within a second."""

    def change(
        self, action: Action, session_id: str, **details: Detail
    ) -> AbstractAsyncContextManager[Change]:
        """Write a change down before and after it is made.

        Raises:
            UnavailableError: It can't be written down (`DATABASE_UNAVAILABLE`). The change is not made.
        """

    async def prune(self, max_age_s: float) -> int:
        """Remove records at the beginning that are older, as many as one transaction takes.

        Returns:
            How many those were.

        Raises:
            UnavailableError: `DATABASE_UNAVAILABLE`.
        """


class AuditLog:
    """The log of one replica. All replicas write into one chain.

    Args:
        table: Its rows.
        trouble: Whether the database takes writes.
        now: The date, in seconds since 1970-01-01 UTC.
        repeat_s: How long repeats of what is noted are only counted.
    """

    def __init__(
        self,
        table: AuditTable,
        trouble: DatabaseTrouble,
        *,
        now: Callable[[], float] = time.time,
        repeat_s: float = REPEAT_S,
    ) -> None:
        self._table = table
        self._trouble = trouble
        self._now = now
        self._noted: Counted[Event] = Counted(repeat_s, MAX_NOTED_COUNT)
        self._writing = asyncio.Lock()
        # Not the loop's own threads, which the engine's work may fill, and which end before the last note.
        self._threads = ThreadPoolExecutor(THREAD_COUNT, "audit")

    async def append(self, action: Action, session_id: str, outcome: str = OK, **details: Detail) -> None:
        """See `Audit`."""
        await self._write([self._record(event(action, current_actor.get(), outcome, session_id, details))])

    def note(self, action: Action, session_id: str, outcome: str = OK, **details: Detail) -> None:
        """See `Audit`."""
        self._noted.add(event(action, current_actor.get(), outcome, session_id, details))

    @asynccontextmanager
    async def change(self, action: Action, session_id: str, **details: Detail) -> AsyncIterator[Change]:
        """See `Audit`."""
        await self.append(action, session_id, BEGUN, **details)
        change = Change()
        try:
            yield change
        except InterviewError as error:
            await self._end(action, session_id, error.reason, details | change.details)
            raise
        except BaseException as error:
            # Nobody waits any more, or something is wrong with us: it may have been made.
            reason = "CANCELLED" if isinstance(error, asyncio.CancelledError) else "INTERNAL"
            self.note(action, session_id, reason, **details | change.details)
            raise
        await self._end(action, session_id, OK, details | change.details)

    async def _end(self, action: Action, session_id: str, outcome: str, details: dict[str, Detail]) -> None:
        try:
            await self.append(action, session_id, outcome, **details)
        except UnavailableError:
            # What was made can't be taken back. The record is written when the database is there again.
            self.note(action, session_id, outcome, **details)

    async def take_notes(self, notes: Sequence[tuple[Event, int]]) -> None:
        """Write what a caller has seen, each with how often. When this returns, it is durable.

        Raises:
            UnavailableError: `DATABASE_UNAVAILABLE`.
        """
        await self._write([self._record(seen, count) for seen, count in notes])

    async def read(self, after_seq: int, limit_count: int) -> tuple[list[tuple[int, str, str]], Head]:
        """Return numbers, records and hashes behind a number, and the head.

        Raises:
            UnavailableError: `DATABASE_UNAVAILABLE`.
        """
        try:
            return await self._trouble.bounded(self._in_thread(self._table.read, after_seq, limit_count))
        except SQLAlchemyError as error:
            raise _unavailable("The audit log can't be read.") from error

    async def prune(self, max_age_s: float) -> int:
        """See `Audit`."""
        before_ms = int((self._now() - max_age_s) * MS_PER_S)
        checkpoint = self._record(Event(Action.PRUNE, OK, current_actor.get()))
        async with self._writing:
            return await self._told(self._in_thread(self._table.prune, before_ms, checkpoint))

    async def run(self) -> None:
        """Write what was noted, now and again, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except UnavailableError as error:
                logger.warning(
                    "the audit log can't be written; it is tried again", extra={"reason": error.reason}
                )
            except Exception:
                logger.exception("the audit log can't be written; it is tried again")

    async def flush(self) -> None:
        """Write what was noted and is due.

        Raises:
            UnavailableError: It can't be written. It is kept.
        """
        due = self._due(everything=False)
        while due:
            try:
                await self._write([self._record(seen, count) for seen, count in due[:WRITTEN_COUNT]])
            except BaseException:
                self._noted.give_back(due)
                raise
            del due[:WRITTEN_COUNT]

    def close(self) -> None:
        """Write all that was noted, and let go of the database. It blocks."""
        left = [self._record(seen, count) for seen, count in self._due(everything=True)]
        try:
            if left:
                self._table.append(left)
        except SQLAlchemyError:
            logger.warning("the last notes for the audit log are lost", extra={"note_count": len(left)})
        self._table.close()
        self._threads.shutdown(wait=False)

    def _due(self, *, everything: bool) -> list[tuple[Event, int]]:
        due = self._noted.take(everything=everything)
        if dropped_count := self._noted.take_dropped():
            due.append((Event(Action.DROP_NOTES, OK, OURSELVES), dropped_count))
        return due

    def _record(self, seen: Event, count: int = 1) -> Fields:
        return seen.record(int(self._now() * MS_PER_S), count)

    async def _write(self, records: Sequence[Fields]) -> None:
        if records:
            await self._told(self._write_in_turn(records))

    async def _write_in_turn(self, records: Sequence[Fields]) -> None:
        async with self._writing:
            await self._in_thread(self._table.append, records)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(work, *args, **options)
        )

    async def _told(self, writing: Awaitable[T]) -> T:
        try:
            return await self._trouble.bounded(writing, writes=True)
        except SQLAlchemyError as error:
            raise _unavailable("The audit log can't be written, so nothing was changed.") from error


def _unavailable(what: str) -> UnavailableError:
    return UnavailableError(f"{what} Try again in half a minute.", reason=REASON, retry_after_s=RETRY_AFTER_S)
