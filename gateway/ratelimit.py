"""So many uploads a client and hour, and so many at once. Each replica counts and grants its own."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import limits

from chassis.errors import ExhaustedError
from gateway.callers import Client

PLACES_RETRY_S = 10.0


class UploadPlaces:
    """Bounds the uploads that arrive at once, and those of one client.

    Args:
        max_count: Of all clients together. It bounds the disk that uploads can fill.
        max_count_per_client: Of one client, so that slow ones leave places for others.
    """

    def __init__(self, max_count: int, max_count_per_client: int) -> None:
        self._max_count = max_count
        self._max_count_per_client = max_count_per_client
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: Client) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises:
            ExhaustedError: There is none (`UPLOADS_FULL`, `UPLOADS_OF_CLIENT_FULL`).
        """
        if self._taken[client.name] >= self._max_count_per_client:
            raise ExhaustedError(
                f"{self._max_count_per_client} uploads of yours are under way. Wait until one has ended.",
                reason="UPLOADS_OF_CLIENT_FULL",
                retry_after_s=PLACES_RETRY_S,
            )
        if self._taken.total() >= self._max_count:
            raise ExhaustedError(
                "Too many uploads are under way. Try again in some seconds.",
                reason="UPLOADS_FULL",
                retry_after_s=PLACES_RETRY_S,
            )
        self._taken[client.name] += 1
        try:
            yield
        finally:
            self._taken[client.name] -= 1
            self._taken += Counter()  # Drops clients without one.


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

    @contextmanager
    def counted(self, client: Client) -> Iterator[None]:
        """Count one upload. One that fails in the block is not counted.

        Raises:
            ExhaustedError: The client has used up its share (`RATE_LIMITED`).
        """
        taken_s = self._take(client)
        try:
            yield
        except BaseException:
            self._give_back(client, taken_s)
            raise

    def _take(self, client: Client) -> float:
        now_s = self._clock()
        if self._rate is None:
            return now_s
        window_s = self._rate.get_expiry()
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
        return now_s

    def _give_back(self, client: Client, taken_s: float) -> None:
        with suppress(KeyError, ValueError):  # It is forgotten already, or nothing is counted.
            self._taken[client.name].remove(taken_s)

    def _forget(self, before_s: float) -> None:
        for name, taken in list(self._taken.items()):
            while taken and taken[0] <= before_s:
                taken.popleft()
            if not taken:
                del self._taken[name]
