"""Repeats what a remote server could not do right now, a few times and within a deadline."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from chassis.deadline import Deadline
from chassis.errors import UnavailableError

T = TypeVar("T")

PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Doubling. Five attempts in about eight seconds outlast a burst, not an outage."""
JITTER_RATIO = 0.5
"""Spreads the callers that a burst has thrown together."""


def retried(
    attempt: Callable[[], T],
    deadline: Deadline,
    *,
    is_passing: Callable[[UnavailableError], bool] = lambda _error: True,
) -> T:
    """Call `attempt` until it succeeds, fails for good, or the time or the attempts are used up.

    Args:
        attempt: What is tried. Only its `UnavailableError` is worth repeating.
        deadline: Bounds the pauses. A pause that does not fit is not begun.
        is_passing: Tells which of these errors another attempt may get past.

    Raises:
        UnavailableError: The last attempt's.
        CancelledCallError: The caller gave up meanwhile (`CANCELLED`).
    """
    for pause_s in PAUSES_S:
        deadline.check_stop()
        try:
            return attempt()
        except UnavailableError as error:
            jittered_s = pause_s * random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311 - no secret
            jittered_s = max(jittered_s, error.retry_after_s or 0.0)
            if not is_passing(error) or jittered_s >= deadline.remaining_s:
                raise
            deadline.pause(jittered_s)
    return attempt()
