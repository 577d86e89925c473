"""One watcher a stage: while it is away, one looks for it, and all who need it wait in a line.

When it is back they are let through one after the other, so that they don't fall upon it together. A stage
that is full again stops the line.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis.errors import InterviewError

logger = logging.getLogger(__name__)

JITTER_RATIO = 0.25
"""Keeps several orchestrators from looking at the same moments."""


@dataclass(frozen=True)
class Pace:
    """How a stage that is away is waited for.

    Args:
        max_wait_s: How long one input waits in all before its stage counts as failed.
        probe_interval_s: Between two looks for the stage.
        stagger_s: Between two that are let through after its return.
        settled_s: How long a call lasts before it counts as taken in. A full stage refuses at once.
        look_again_s: Who stood in line longer looks whether the output is there by now. Another replica may
            have made it, while this process was frozen and taken for dead.
    """

    max_wait_s: float = 86_400.0
    probe_interval_s: float = 1.0
    stagger_s: float = 0.1
    settled_s: float = 1.0
    look_again_s: float = 1.0


DEFAULT_PACE = Pace()


class StageWatch:
    """Whether a stage can be asked, and the line of those who wait until it can.

    Args:
        find: Looks for the stage. True where it serves.
        pace: How it is waited for.
    """

    def __init__(self, find: Callable[[], Awaitable[bool]], pace: Pace) -> None:
        self._find = find
        self._pace = pace
        self._line: deque[asyncio.Future[None]] = deque()
        self._delay_s = 0.0
        self._watching: asyncio.Task[None] | None = None
        self.closed_by: InterviewError | None = None
        """What the stage said, or why it can't be reached. None while it can be asked."""

    def close(self, error: InterviewError) -> None:
        """Let nobody through until the stage was found again, at the earliest after the error's delay."""
        self.closed_by = error
        self._delay_s = error.retry_after_s or 0.0

    async def turn(self) -> None:
        """Wait until the stage was found and it is this one's turn."""
        place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        await place

    async def _watch(self) -> None:
        try:
            while self._waits():
                await self._look()
        finally:
            self._watching = None

    async def _look(self) -> None:
        if self.closed_by is not None:
            await asyncio.sleep(_jittered(max(self._delay_s, self._pace.probe_interval_s)))
            if not await self._found():
                return
            self.closed_by, self._delay_s = None, 0.0
        while self.closed_by is None and self._waits():
            self._line.popleft().set_result(None)
            await asyncio.sleep(_jittered(self._pace.stagger_s))

    async def _found(self) -> bool:
        try:
            return await self._find()
        except Exception:  # Without this look the whole line would stand for good.
            logger.exception("a look for a stage failed unexpectedly")
            return False

    def _waits(self) -> bool:
        """Tell whether somebody waits. Who was cancelled stands in line no more."""
        while self._line and self._line[0].done():
            self._line.popleft()
        return bool(self._line)


def _jittered(seconds: float) -> float:
    spread = random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311 - spreads looks, guards nothing
    return seconds * spread
