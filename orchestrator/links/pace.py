"""Watches that bytes arrive at a least pace. A server that only keeps a connection open holds a place."""

from __future__ import annotations

import asyncio
from types import TracebackType

WORTH_WAITING_RATIO = 0.5
"""A link must be at least half as fast as it has to be from now on. One that is slower can't make it."""
SILENT_RATIO = 0.5
"""Nothing in the last half of the measured time is silence and not a slow pace."""
FROZEN_S = 2.0
"""A timer that comes so late was not the server's fault: this process stood still."""


class TooSlowError(Exception):
    """Fewer bytes came than must."""


class StalledError(Exception):
    """Nothing came any more, or this process stood still. A new connection may help."""


class Pace:
    """Ends its block when too few bytes come. Use it as `async with`, in the task that receives.

    Args:
        min_bytes_per_s: The least pace.
        stall_s: Over how long it is measured.
        ends_at_s: When all must have come, by the event loop's clock. None: no such time.
    """

    def __init__(self, min_bytes_per_s: int, stall_s: float, ends_at_s: float | None = None) -> None:
        self._min_bytes = min_bytes_per_s * stall_s
        self._stall_s = stall_s
        self._ends_at_s = ends_at_s
        self._needed_bytes = self._min_bytes
        self._came_bytes = 0
        self._last_s = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout(stall_s)

    async def __aenter__(self) -> Pace:
        """Begin to measure."""
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End.

        Raises:
            TooSlowError: Too few bytes came.
            StalledError: None came in the end.
        """
        due_s, now_s = self._timeout.when(), asyncio.get_running_loop().time()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            silent_s = now_s - self._last_s
            if silent_s > self._stall_s * SILENT_RATIO or (due_s is not None and now_s - due_s > FROZEN_S):
                raise StalledError from None
            raise TooSlowError from None

    def came(self, byte_count: int, left_bytes: int | None) -> None:
        """Take note of bytes.

        Args:
            byte_count: How many came.
            left_bytes: How many are still to come. None where nobody knows.
        """
        now_s = self._last_s = asyncio.get_running_loop().time()
        self._came_bytes += byte_count
        if self._came_bytes < self._needed_bytes:
            return
        self._came_bytes, self._needed_bytes = 0, self._min_bytes
        if left_bytes is not None and self._ends_at_s is not None and self._ends_at_s > now_s:
            due_bytes = left_bytes / (self._ends_at_s - now_s) * self._stall_s
            self._needed_bytes = max(self._min_bytes, due_bytes * WORTH_WAITING_RATIO)
        self._timeout.reschedule(now_s + self._stall_s)
