"""So many uploads a client and hour. Counted in this process: each replica grants its own share."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

import limits

from chassis.errors import ExhaustedError
from gateway.callers import Client


class UploadRateLimiter:
    """Refuses a client's uploads beyond a rate, over a window that moves along.

    The counting is our own: `limits` counts by the wall clock, and a host whose clock is set by two hours
    would let everybody in, or nobody for two hours.

    Args:
        rate: As `limits` writes it, such as `10/hour`. Empty for no limit.
        clock: Seconds that only go forward.
    """

    def __init__(self, rate: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = limits.parse(rate) if rate else None
        self._clock = clock
        self._taken: dict[str, deque[float]] = {}
        """When each client's uploads in the window came, the oldest first."""

    async def take(self, client: Client) -> None:
        """Count one upload.

        Raises:
            ExhaustedError: The client has used up its share (`RATE_LIMITED`).
        """
        if self._rate is None:
            return
        now_s, window_s = self._clock(), self._rate.get_expiry()
        self._forget(now_s - window_s)
        taken = self._taken.setdefault(client.name, deque())
        if len(taken) >= self._rate.amount:
            wait_s = max(1.0, taken[0] + window_s - now_s)
            raise ExhaustedError(
                f"Too many uploads. The limit is {self._rate}. Try again in {math.ceil(wait_s / 60)} min.",
                reason="RATE_LIMITED",
                retry_after_s=wait_s,
            )
        taken.append(now_s)

    def _forget(self, before_s: float) -> None:
        for name, taken in list(self._taken.items()):
            while taken and taken[0] <= before_s:
                taken.popleft()
            if not taken:
                del self._taken[name]
