"""The point in time by which an answer must be there, and the caller's wish to stop.

Blocking code asks it before every batch, attempt and pause. Times are monotonic seconds.
"""

from __future__ import annotations

import threading
import time

from chassis.errors import CancelledCallError


class Deadline:
    """Time that is left, cut short when the caller gives up.

    Args:
        timeout_s: Seconds from now.
        stop: Set when the caller gave up.
    """

    def __init__(self, timeout_s: float, stop: threading.Event | None = None) -> None:
        self._end_s = time.monotonic() + timeout_s
        self._stop = stop or threading.Event()

    @property
    def remaining_s(self) -> float:
        """Seconds that are left, never below 0."""
        return max(0.0, self._end_s - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.remaining_s <= 0

    def check_stop(self) -> None:
        """Raise if the caller gave up.

        Raises:
            CancelledCallError: It did (`CANCELLED`).
        """
        if self._stop.is_set():
            raise CancelledCallError("The caller gave up.", reason="CANCELLED")

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the deadline or the caller's patience.

        Raises:
            CancelledCallError: The caller gave up meanwhile (`CANCELLED`).
        """
        self._stop.wait(min(seconds, self.remaining_s))
        self.check_stop()
