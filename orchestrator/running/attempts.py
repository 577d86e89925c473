"""Takes one input through its stage: waits while the stage is away, tries, and counts what counts.

A stage that is away or full has done nothing, so no attempt is spent. A stage that died while it worked on
an input may have died of it. Such an input is tried again alone, and after a second death not any more. See
`docs/decisions/0013-who-killed-the-stage.md`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from google.protobuf.message import Message

from chassis.client import RetryPolicy, is_transient
from chassis.errors import InterviewError, UnavailableError
from orchestrator.running.places import Places, alone
from orchestrator.running.watch import Pace, StageWatch
from orchestrator.running.words import DIED_ONCE, DIED_TWICE, who_is_away
from orchestrator.stages.stage import Stage, Task, Work
from orchestrator.stages.troubles import (
    StageAwayError,
    StageDiedError,
    StageHungError,
    StageStoppedError,
    is_away,
)

T = TypeVar("T")

MAX_KILL_COUNT = 2
"""Deaths of a stage during its work on one input, after which that input is not tried again."""
MAX_HANG_COUNT = 2
"""The same for a stage that did not get on. Each costs minutes of a place."""
S_PER_H = 3600


@dataclass(frozen=True)
class Standing:
    """Where an input stands at its stage, as it is kept across a restart."""

    waiting_since_s: float | None = None
    """Since when it waits for the stage, in seconds since 1970-01-01 UTC. None while it is worked on."""
    reason: str = ""
    message: str = ""
    attempt_count: int = 0
    kill_count: int = 0
    """Deaths of the stage while it worked on this."""


UNTRIED = Standing()
OnChange = Callable[[Standing], Awaitable[None]]
"""Is told that an input waits for its stage, or that it waits no more."""


async def unheard(_: Standing) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Lane:
    """A stage and the way to it."""

    stage: Stage
    places: Places
    watch: StageWatch
    store: StageWatch
    """The same for the media store, which all stages share."""

    def place(self, *, to_stand_alone: bool) -> AbstractAsyncContextManager[Any]:
        """Return what holds a place while it is entered, or all places."""
        if to_stand_alone:
            return alone(self.places, self.stage.name)
        return self.places[self.stage.name]


class ProgressListener:
    """Is told how a stage gets on. The tracker of live progress is one."""

    def attempt(self, task: Task, attempt_count: int) -> None:
        """An attempt begins."""

    def progress(self, task: Task, ratio: float) -> None:
        """The share of the attempt that is done."""


class Attempts:
    """The attempts at one stage of one answer.

    Args:
        task: Which stage of which answer.
        lane: The way to the stage.
        retry: How often, and how long apart.
        pace: How a stage that is away is waited for.
        listener: Is told how the stage gets on.
        on_change: Is told of waiting.
        standing: Where the input stood before a restart.
        now: The date, in seconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        task: Task,
        lane: Lane,
        *,
        retry: RetryPolicy,
        pace: Pace,
        listener: ProgressListener,
        on_change: OnChange = unheard,
        standing: Standing = UNTRIED,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._task = task
        self._lane = lane
        self._retry = retry
        self._pace = pace
        self._listener = listener
        self._on_change = on_change
        self._now = now
        self._standing = replace(standing, attempt_count=0)
        since_s = standing.waiting_since_s
        self._waited_s = 0.0 if since_s is None else max(0.0, now() - since_s)
        self._begin_s = self._looked_s = time.monotonic()
        self._worked_s = 0.0
        self._hang_count = 0
        self.count = 0
        """Attempts so far."""
        self.run_s = 0.0
        """Seconds of the last attempt."""

    @property
    def queued_s(self) -> float:
        """Seconds in which nobody worked on it."""
        return max(0.0, time.monotonic() - self._begin_s - self._worked_s)

    async def output(self, work: Work, is_there: Callable[[], Awaitable[bool]]) -> Message | None:
        """Return the stage's output. None where somebody else left it meanwhile.

        Args:
            work: Makes it.
            is_there: Looks for it in the store.

        Raises:
            InterviewError: What ended the last attempt, or `STAGE_DIED_TWICE`, `STAGE_AWAY_TOO_LONG`.
        """
        while True:
            await self._until_let_through(self._lane.watch)
            if self._standing.kill_count:
                await self._wait_to_stand_alone()
            async with self._lane.place(to_stand_alone=self._standing.kill_count > 0):
                if self._lane.watch.closed_by is not None:
                    continue  # It went away while this one stood in line for a place.
                if await self._left_meanwhile(is_there):
                    return None
                try:
                    output = await self._attempt(work)
                except InterviewError as raised:
                    error = raised
                else:
                    self.count += 1
                    return output
            await self._take_note_of(error)

    async def _left_meanwhile(self, is_there: Callable[[], Awaitable[bool]]) -> bool:
        now_s = time.monotonic()
        if now_s - self._looked_s <= self._pace.look_again_s:
            return False
        self._looked_s = now_s
        try:
            return await is_there()
        except InterviewError:  # A store that is away is waited for where nobody's place is held.
            return False

    async def with_store(self, use: Callable[[], Awaitable[T]]) -> T:
        """Use the media store, and wait while it is away or full.

        Raises:
            InterviewError: What else came of it, or `STAGE_AWAY_TOO_LONG`.
        """
        while True:
            try:
                return await use()
            except InterviewError as error:
                if not is_away(error):
                    raise
                self._lane.store.close(error)
            await self._until_let_through(self._lane.store)

    async def _until_let_through(self, watch: StageWatch) -> None:
        if watch.closed_by is None:
            return
        who = who_is_away(watch.closed_by, self._lane.stage.process_name)
        if watch is self._lane.watch and self._standing.kill_count:
            await self._wait_to_stand_alone()  # One reason for the whole wait: each change is kept durably.
        else:
            await self._wait_for(watch.closed_by.reason, f"Waiting for {who}. It goes on by itself.")
        begin_s = time.monotonic()
        try:
            async with asyncio.timeout(self._pace.max_wait_s - self._waited_s):
                await watch.turn()
        except TimeoutError:
            raise UnavailableError(
                f"The answer waited {self._pace.max_wait_s / S_PER_H:,.1f} h for {who}. See to it, then "
                "retry the session.",
                reason="STAGE_AWAY_TOO_LONG",
            ) from None
        finally:
            self._waited_s += time.monotonic() - begin_s

    async def _attempt(self, work: Work) -> Message:
        begin_s = time.monotonic()
        try:
            await self._lane.stage.check_serving()
            begin_s = time.monotonic()
            if self._standing.waiting_since_s is None:
                self._listener.attempt(self._task, self.count + 1)
                return await self._checked(work)
            return await self._taken_in(work)
        finally:
            self.run_s = time.monotonic() - begin_s
            self._worked_s += self.run_s

    async def _taken_in(self, work: Work) -> Message:
        """Make an attempt that shows as waiting until it is sure that the stage has taken it in."""
        attempt = asyncio.create_task(self._checked(work))
        try:
            await asyncio.wait({attempt}, timeout=self._pace.settled_s)
            if not attempt.done():
                await self._change(Standing(kill_count=self._standing.kill_count))
                self._listener.attempt(self._task, self.count + 1)
            return await attempt
        finally:
            if not attempt.done():
                attempt.cancel()
                await asyncio.wait({attempt})

    async def _checked(self, work: Work) -> Message:
        output = await work.do(lambda ratio: self._listener.progress(self._task, ratio))
        work.check(output)
        return output

    async def _take_note_of(self, error: InterviewError) -> None:
        """Count an attempt that failed, and pause before the next one.

        Raises:
            InterviewError: There is no next one.
        """
        watch = self._lane.watch
        if is_away(error):
            watch.close(error)
            return
        self.count += 1
        if isinstance(error, (StageDiedError, StageStoppedError)):
            watch.close(StageAwayError())
        if isinstance(error, StageDiedError):
            self._standing = replace(self._standing, kill_count=self._standing.kill_count + 1)
        self._hang_count += isinstance(error, StageHungError)
        if self._standing.kill_count >= MAX_KILL_COUNT:
            raise UnavailableError(
                DIED_TWICE.format(self._lane.stage.process_name),
                reason="STAGE_DIED_TWICE",
            ) from error
        if (
            self.count >= self._retry.attempt_count
            or self._hang_count >= MAX_HANG_COUNT
            or not is_transient(error)
        ):
            raise error
        if watch.closed_by is None:
            await asyncio.sleep(self._retry.delay_s(self.count, error))

    async def _wait_to_stand_alone(self) -> None:
        await self._wait_for("STAGE_DIED_ONCE", DIED_ONCE.format(self._lane.stage.process_name))

    async def _wait_for(self, reason: str, message: str) -> None:
        known = self._standing
        if known.waiting_since_s is not None and known.reason == reason:
            return
        since_s = known.waiting_since_s if known.waiting_since_s is not None else self._now()
        await self._change(
            replace(
                known,
                waiting_since_s=since_s,
                reason=reason,
                message=message,
                attempt_count=self.count,
            )
        )

    async def _change(self, standing: Standing) -> None:
        self._standing = standing
        await self._on_change(standing)
