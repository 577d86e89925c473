"""How many places each stage has: as many as its pods say that they take, or what a setting says.

The name of a stage is looked up every few seconds, and each pod behind it is asked now and again. A stage
that is away keeps what it had.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

from chassis.errors import InterviewError
from orchestrator.running.addresses import addresses_of
from orchestrator.stages.capacity import follows_pods, worker_count
from orchestrator.stages.stage import Stage

logger = logging.getLogger(__name__)

LOOK_INTERVAL_S = 5.0
"""Between two looks at the names. With jitter, so that replicas do not look in step."""
FRESH_S = 60.0
"""What a pod said counts for so long. Another pod may have its address after that."""
MAX_OF_POD = 256
"""The most that is believed of one pod. No setting of a stage allows more."""
MAX_PLACE_COUNT = 1024
"""The most places of a stage."""

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
"""Looks an address up. Returns `host:port` for each pod, none where it can't be told."""

Ask = Callable[[Stage, str], Awaitable[int]]


class PlaceCounts(Mapping[str, int]):
    """The number of places of each stage by its name. It changes while the process runs.

    Args:
        stages: The stages by name.
        resolve: Looks an address up.
        ask: Asks a pod of a stage how many it takes.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        resolve: Resolve = addresses_of,
        ask: Ask = worker_count,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = {name: stage.place_count for name, stage in stages.items()}
        self._followed = [stage for stage in stages.values() if follows_pods(stage)]
        self._said: dict[tuple[str, str], tuple[int, float]] = {}
        """By stage and pod: how many it takes, and when it said so."""
        self._resolve, self._ask = resolve, ask
        self._clock = clock
        self._listeners: list[Callable[[str], None]] = []

    def __getitem__(self, stage: str) -> int:
        return self._counts[stage]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Have somebody told the name of a stage whose number has changed."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while self._followed:
            await self.look()
            await asyncio.sleep(LOOK_INTERVAL_S * random.uniform(0.8, 1.2))  # noqa: S311 - spreads looks

    async def look(self) -> None:
        """Look at all stages once."""
        await asyncio.gather(*(self._look_at(stage) for stage in self._followed))

    async def _look_at(self, stage: Stage) -> None:
        try:
            pods = await self._resolve(stage.address)
            known = await asyncio.gather(*(self._taken_by(stage, pod) for pod in pods))
        except Exception:  # What is known goes on to count.
            logger.exception("a look for the pods of a stage failed", extra={"stage": stage.name})
            return
        for gone in [key for key in self._said if key[0] == stage.name and pods and key[1] not in pods]:
            del self._said[gone]
        if (total := sum(known)) > 0:
            self._set(stage.name, min(MAX_PLACE_COUNT, max(stage.place_count, total)))

    async def _taken_by(self, stage: Stage, pod: str) -> int:
        said = self._said.get((stage.name, pod))
        if said is not None and self._clock() - said[1] < FRESH_S:
            return said[0]
        try:
            count = await self._ask(stage, pod)
        except InterviewError:  # It starts, or ends. What it said before counts until its name is gone.
            return said[0] if said else 0
        # A stage of an older version does not say it.
        count = min(MAX_OF_POD, count) if count > 0 else stage.place_count
        self._said[(stage.name, pod)] = (count, self._clock())
        return count

    def _set(self, stage: str, count: int) -> None:
        if self._counts[stage] != count:
            logger.info("a stage has another number of places", extra={"stage": stage, "place_count": count})
            self._counts[stage] = count
            for listener in self._listeners:
                listener(stage)
