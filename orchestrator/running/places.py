"""Places at the stages: how many answers a stage works on at once."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

LOOK_INTERVAL_S = 0.5
"""How often who waits for all places looks whether there are fewer by now."""


class Places(Protocol):
    """The places of all stages."""

    def __getitem__(self, stage: str, /) -> AbstractAsyncContextManager[Any]:
        """Return what holds a place of a stage while it is entered. Entering it waits for a free one."""

    def count(self, stage: str, /) -> int:
        """Return how many a stage has at the moment."""


class OwnPlaces:
    """Places of this process alone, given in the order in which they were asked for. See `Places`.

    Args:
        counts: How many each stage has. Where a number changes, tell `changed`.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._held: Counter[str] = Counter()
        self._line: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    def __getitem__(self, stage: str, /) -> AbstractAsyncContextManager[None]:
        """See `Places`."""
        return self._place(stage)

    def count(self, stage: str, /) -> int:
        """See `Places`."""
        return self._counts[stage]

    def changed(self, stage: str) -> None:
        """Give out the places that a stage has more by now. Of fewer, those that are held go on."""
        line = self._line[stage]
        while line and (line[0].done() or self._held[stage] < self._counts[stage]):
            turn = line.popleft()
            if not turn.done():
                self._held[stage] += 1
                turn.set_result(None)

    @asynccontextmanager
    async def _place(self, stage: str) -> AsyncIterator[None]:
        turn = asyncio.get_running_loop().create_future()
        self._line[stage].append(turn)
        self.changed(stage)
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._held[stage] -= 1
            turn.cancel()
            self.changed(stage)


def own_places(counts: Mapping[str, int]) -> OwnPlaces:
    """Return places of this process alone, so many a stage."""
    return OwnPlaces(counts)


@asynccontextmanager
async def alone(places: Places, stage: str) -> AsyncIterator[None]:
    """Hold all places of a stage, so that nothing else is at work there meanwhile.

    They are asked for at once, and places are given in the order in which they were asked for. So of two that
    want all of them, one gets all of them first. Where there are fewer by then, those are enough. Of places
    that come meanwhile, with another pod, others may have some.

    Args:
        places: The places of all stages.
        stage: The stage's name.
    """
    held = [asyncio.Event() for _ in range(places.count(stage))]

    async def hold(mine: asyncio.Event) -> None:
        async with places[stage]:
            mine.set()
            await asyncio.Event().wait()

    holders = [asyncio.create_task(hold(mine)) for mine in held]
    try:
        for number, mine in enumerate(held, start=1):
            while not mine.is_set() and number <= places.count(stage):
                await _wait_a_moment(mine)
        yield
    finally:
        for holder in holders:
            holder.cancel()
        await asyncio.wait(holders)


async def _wait_a_moment(event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_INTERVAL_S):
            await event.wait()
    except TimeoutError:
        return
