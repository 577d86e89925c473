"""The places of one stage: so many inputs at once, and one that stands alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """Places that are taken in the order in which they were asked for.

    Args:
        count: How many there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = asyncio.Semaphore(count)
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def taken(self, *, alone: bool = False) -> AsyncIterator[None]:
        """Hold one place, or all of them, so that nobody else is at work meanwhile."""
        if not alone:
            async with self._free:
                yield
            return
        held = 0
        # One at a time: two that both collect places would wait for each other.
        async with self._alone:
            try:
                while held < self._count:
                    await self._free.acquire()
                    held += 1
                yield
            finally:
                for _ in range(held):
                    self._free.release()
