"""A storage of `limits` in this process, by a clock that only goes forward.

The library's own one counts by the wall clock: a host whose clock is set by two hours would let everybody in,
or nobody for two hours.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor

from limits.aio.storage import MovingWindowSupport, SlidingWindowCounterSupport, Storage

FORGET_EVERY_S = 1.0


@dataclass
class _Kept:
    """What is kept of one limit of one client: times of entries, or a count."""

    end_s: float
    times_s: deque[float] = field(default_factory=deque)
    count: int = 0


class SteadyStorage(Storage, MovingWindowSupport, SlidingWindowCounterSupport):
    """Counts in memory. What has run out is forgotten.

    Args:
        clock: Seconds that only go forward.
    """

    STORAGE_SCHEME = ["async+steady"]  # noqa: RUF012  # as the library has it

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._forget_at_s = 0.0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing can go wrong here."""
        return ValueError

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a counter that ends `expiry` seconds after its first use, and return it."""
        kept = self._kept_of(key, expiry)
        kept.count += amount
        return kept.count

    async def get(self, key: str) -> int:
        """Return a counter."""
        self._forget()
        kept = self._kept.get(key)
        return kept.count if kept and kept.end_s > self._clock() else 0

    async def get_expiry(self, key: str) -> float:
        """Return when a counter ends, by this storage's clock."""
        return self._kept[key].end_s if key in self._kept else self._clock()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Add entries to a window that moves along, if there is room for them."""
        now_s, kept = self._clock(), self._kept_of(key, expiry)
        while kept.times_s and kept.times_s[0] <= now_s - expiry:
            kept.times_s.popleft()
        if len(kept.times_s) + amount > limit:
            return False
        kept.times_s.extend([now_s] * amount)
        kept.end_s = now_s + expiry
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the oldest entry's time, by this storage's clock, and the number of entries."""
        del limit
        now_s = self._clock()
        kept = self._kept.get(key)
        times_s = [time_s for time_s in kept.times_s if time_s > now_s - expiry] if kept else []
        return (times_s[0] if times_s else now_s), len(times_s)

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Add to a counter of this and the last window, if there is room."""
        before, rest_s, count, _ = await self.get_sliding_window(key, expiry)
        if floor(before * rest_s / expiry + count) + amount > limit:
            return False
        _, current = self._window_keys(key, expiry)
        await self.incr(current, 2 * expiry, amount)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the last window's count and how long it still weighs, and this one's count and rest."""
        now_s = self._clock()
        previous, current = self._window_keys(key, expiry)
        before, count = await self.get(previous), await self.get(current)
        rest_s = expiry - now_s % expiry
        return before, (rest_s if before else 0.0), count, rest_s + expiry

    async def clear(self, key: str) -> None:
        """Forget a limit."""
        self._kept.pop(key, None)

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a limit's windows."""
        for name in self._window_keys(key, expiry):
            await self.clear(name)

    async def check(self) -> bool:
        """Tell that it is well."""
        return True

    async def reset(self) -> int:
        """Forget everything."""
        count = len(self._kept)
        self._kept.clear()
        return count

    def _window_keys(self, key: str, expiry: int) -> tuple[str, str]:
        # Not the library's: a clock that begins at the machine's start is below a day at first, and there
        # the library gives both windows one name.
        number = int(self._clock() // expiry)
        return f"{key}/{number - 1}", f"{key}/{number}"

    def _kept_of(self, key: str, expiry: float) -> _Kept:
        self._forget()
        now_s = self._clock()
        kept = self._kept.get(key)
        if kept is None or kept.end_s <= now_s:
            kept = self._kept[key] = _Kept(now_s + expiry)
        return kept

    def _forget(self) -> None:
        now_s = self._clock()
        if now_s >= self._forget_at_s:
            self._forget_at_s = now_s + FORGET_EVERY_S
            self._kept = {key: kept for key, kept in self._kept.items() if kept.end_s > now_s}
