"""So many uploads a client and hour. Counted in this process: each replica grants its own share."""

from __future__ import annotations

import time

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from chassis.errors import ExhaustedError
from gateway.auth import Client


class UploadRateLimiter:
    """Refuses a client's uploads beyond a rate.

    Args:
        rate: As `limits` writes it, such as `10/hour`; empty for no limit.
    """

    def __init__(self, rate: str) -> None:
        self._rate = limits.parse(rate) if rate else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def take(self, client: Client) -> None:
        """Count one upload.

        Raises:
            ExhaustedError: The client has used up its share.
        """
        if self._rate is None or await self._limiter.hit(self._rate, client.name):
            return
        window = await self._limiter.get_window_stats(self._rate, client.name)
        wait_s = max(1.0, window.reset_time - time.time())
        raise ExhaustedError(
            f"Too many uploads: {self._rate}. Try again in {round(wait_s / 60) or 1} min.",
            reason="RATE_LIMITED",
            retry_after_s=wait_s,
        )
