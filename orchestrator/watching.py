"""One look at a session for all who watch it: 500 watchers cost the engine no more than one."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from interview.v1 import orchestrator_pb2

EVENT_INTERVAL_S = 0.25
"""A watcher gets at most four events a second: stages report more often than anybody can read."""
POLL_S = 0.5
"""How often a session is looked at that another replica works on."""


@dataclass(frozen=True)
class Seen:
    """A session at one moment."""

    event_id: int
    session: orchestrator_pb2.Session
    ended: bool
    end_time_s: float | None = None


class SessionWatches:
    """The sessions that are watched. Use it inside the running event loop.

    Args:
        look: Returns a session as it is now.
        wait: Waits until something changes in a session, at most so many seconds.
    """

    def __init__(
        self,
        look: Callable[[str], Awaitable[Seen]],
        wait: Callable[[str, float], Awaitable[None]],
    ) -> None:
        self._look = look
        self._wait = wait
        self._watches: dict[str, _Watch] = {}

    async def follow(self, session_id: str) -> AsyncGenerator[Seen]:
        """Yield how a session gets on, from a while from now until its end. Slow readers miss some.

        Raises:
            InterviewError: It can't be looked at any more.
        """
        watch = self._watches.get(session_id)
        if watch is None:
            watch = self._watches[session_id] = _Watch()
            # In an empty context: it outlives the call that happens to begin it.
            watch.looking = contextvars.Context().run(
                asyncio.create_task, self._keep_looking(session_id, watch)
            )
        watch.watcher_count += 1
        number = 0  # What the others saw last may be news to this one.
        try:
            while True:
                number = await watch.later_than(number)
                if watch.failure is not None:
                    raise watch.failure
                if watch.seen is not None:
                    yield watch.seen
                    if watch.seen.ended:
                        return
        finally:
            watch.watcher_count -= 1
            if not watch.watcher_count:
                self._forget(session_id, watch)
                if watch.looking is not None:
                    watch.looking.cancel()

    def _forget(self, session_id: str, watch: _Watch) -> None:
        """Let whoever comes now begin a new watch."""
        if self._watches.get(session_id) is watch:
            del self._watches[session_id]

    async def _keep_looking(self, session_id: str, watch: _Watch) -> None:
        try:
            while True:
                await asyncio.sleep(EVENT_INTERVAL_S)
                await self._wait(session_id, POLL_S - EVENT_INTERVAL_S)
                seen = await self._look(session_id)
                if seen.ended:
                    self._forget(session_id, watch)  # It may be run again.
                watch.tell(seen)
                if seen.ended:
                    return
        except Exception as failure:  # noqa: BLE001 - each watcher raises it in its own call
            self._forget(session_id, watch)
            watch.fail(failure)


class _Watch:
    def __init__(self) -> None:
        self.watcher_count = 0
        self.looking: asyncio.Task[None] | None = None
        self.seen: Seen | None = None
        self.failure: Exception | None = None
        self.number = 0
        self._changed = asyncio.Event()

    def tell(self, seen: Seen) -> None:
        if self.seen is None or seen.ended or seen.event_id > self.seen.event_id:
            self.seen = seen
            self._change()

    def fail(self, failure: Exception) -> None:
        self.failure = failure
        self._change()

    def _change(self) -> None:
        self.number += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def later_than(self, number: int) -> int:
        """Wait for a change after the one of this number. Returns the newest one's number."""
        if self.number <= number:
            await self._changed.wait()
        return self.number
