"""How long one call may still take, and whether its caller has given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from chassis.errors import CancelledCallError, DeadlineError


class Budget:
    """The time that is left of one call, looked at before and during every model call.

    Args:
        timeout_s: Seconds from now on; None for no limit.
        stop: Set when the caller has given up.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self, timeout_s: float | None, stop: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._stop = stop
        self._deadline = None if timeout_s is None else clock() + timeout_s

    def shortened(self, reserve_s: float) -> Budget:
        """Give a budget that ends `reserve_s` earlier, for work that the rest can do without."""
        if self._deadline is None:
            return self
        return Budget(self._deadline - self._clock() - reserve_s, self._stop, self._clock)

    def left_s(self, at_most_s: float) -> float:
        """Give the seconds that are left, `at_most_s` at most.

        Raises:
            DeadlineError: None are left.
            CancelledCallError: The caller has given up.
        """
        self.check()
        return at_most_s if self._deadline is None else min(at_most_s, self._deadline - self._clock())

    def check(self) -> None:
        """Raise if the time is over or the caller has given up."""
        if self.over():
            raise DeadlineError("Give the assessment a longer deadline.", reason="DEADLINE_EXCEEDED")
        if self._stop.is_set():
            raise CancelledCallError("The call was cancelled.", reason="CANCELLED")

    def over(self) -> bool:
        """Tell whether the time is over."""
        return self._deadline is not None and self._clock() >= self._deadline

    def stopped(self) -> bool:
        """Tell whether the caller has given up or the time is over."""
        return self._stop.is_set() or self.over()
