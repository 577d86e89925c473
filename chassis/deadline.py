"""The point in time by which an answer must be there, and the caller's wish to stop.

Blocking code asks it before every batch, attempt and pause. Times are monotonic seconds.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from chassis.errors import CancelledCallError, DeadlineError


class Deadline:
    """Time that is left, cut short when the caller gives up.

    Args:
        timeout_s: Seconds from now. None for no limit.
        stop: Set when the caller gave up.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self,
        timeout_s: float | None,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._stop = stop or threading.Event()
        self._end_s = math.inf if timeout_s is None else clock() + timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds that are left, never below 0. Infinite without a limit."""
        return max(0.0, self._end_s - self._clock())

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.remaining_s <= 0

    def shortened(self, reserve_s: float) -> Deadline:
        """Return a deadline that ends `reserve_s` earlier, for work that the rest can do without."""
        if math.isinf(self._end_s):
            return self
        return Deadline(self._end_s - self._clock() - reserve_s, self._stop, self._clock)

    def check_stop(self) -> None:
        """Raise if the caller gave up.

        Raises:
            CancelledCallError: It did (`CANCELLED`).
        """
        if self._stop.is_set():
            raise CancelledCallError("The caller gave up.", reason="CANCELLED")

    def check(self) -> None:
        """Raise if the time is over or the caller gave up.

        Raises:
            DeadlineError: The time is over (`DEADLINE_EXCEEDED`).
            CancelledCallError: The caller gave up (`CANCELLED`).
        """
        if self.passed:
            raise DeadlineError(
                "The time was over before the work was done. Give the call a longer deadline.",
                reason="DEADLINE_EXCEEDED",
            )
        self.check_stop()

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the deadline or the caller's patience.

        Raises:
            CancelledCallError: The caller gave up meanwhile (`CANCELLED`).
        """
        self._stop.wait(min(seconds, self.remaining_s))
        self.check_stop()
