"""Places at the stages: how many answers a stage works on at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol


class Places(Protocol):
    """The places of all stages."""

    def __getitem__(self, stage: str, /) -> AbstractAsyncContextManager[Any]:
        """Return what holds a place of a stage while it is entered. Entering it waits for a free one."""


def own_places(counts: Mapping[str, int]) -> Places:
    """Return places of this process alone, so many a stage."""
    return {stage: asyncio.Semaphore(count) for stage, count in counts.items()}


@asynccontextmanager
async def alone(places: Places, stage: str, count: int) -> AsyncIterator[None]:
    """Hold all places of a stage, so that nothing else is at work there meanwhile.

    They are asked for at once, and places are given in the order in which they were asked for. So of two that
    want all of them, one gets all of them first.

    Args:
        places: The places of all stages.
        stage: The stage's name.
        count: How many places it has.
    """
    held = [asyncio.Event() for _ in range(count)]

    async def hold(mine: asyncio.Event) -> None:
        async with places[stage]:
            mine.set()
            await asyncio.Event().wait()

    holders = [asyncio.create_task(hold(mine)) for mine in held]
    try:
        for mine in held:
            await mine.wait()
        yield
    finally:
        for holder in holders:
            holder.cancel()
        await asyncio.wait(holders)
