"""How many answers wait for a stage and how many are at work there, as metrics of this process.

Each replica tells its own part: add them up. Of the ages take the highest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from prometheus_client import Gauge

WAITING = Gauge(
    "interview_stage_waiting_answers", "Answers of this process that wait for a stage.", ["stage"]
)
RUNNING = Gauge("interview_stage_running_answers", "Answers of this process at work at a stage.", ["stage"])
OLDEST = Gauge(
    "interview_oldest_waiting_answer_age_seconds", "How long the oldest of those that wait does.", ["stage"]
)


class StageQueue:
    """The answers of this process that need a stage.

    Args:
        stage: Its name.
        clock: Seconds that only ever grow.
    """

    def __init__(self, stage: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[Any, float] = {}
        """Since when, by the task that waits."""
        self._running_count = 0
        WAITING.labels(stage).set_function(lambda: len(self._waiting))
        RUNNING.labels(stage).set_function(lambda: self._running_count)
        OLDEST.labels(stage).set_function(self.oldest_age_s)

    def oldest_age_s(self) -> float:
        """Return how long the oldest of those that wait has done so. 0 where none waits."""
        return self._clock() - min(self._waiting.copy().values(), default=self._clock())

    @contextmanager
    def needing(self) -> Iterator[None]:
        """Count the running task as one that waits, but while it is `at_work`."""
        task = asyncio.current_task()
        self._waiting[task] = self._clock()
        try:
            yield
        finally:
            self._waiting.pop(task, None)

    @asynccontextmanager
    async def at_work(self, place: AbstractAsyncContextManager[Any]) -> AsyncIterator[None]:
        """Hold a place, and count the running task as one that works meanwhile."""
        task = asyncio.current_task()
        async with place:
            since_s = self._waiting.pop(task, None)
            self._running_count += 1
            try:
                yield
            finally:
                self._running_count -= 1
                if since_s is not None:
                    self._waiting[task] = self._clock()
