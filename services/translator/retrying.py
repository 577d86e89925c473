"""Repeats what a remote server could not do right now. Only `UnavailableError` is worth repeating."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from chassis.errors import UnavailableError
from services.translator.deadline import Deadline

T = TypeVar("T")

PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Doubling; five attempts in about eight seconds outlast a burst, not an outage."""
JITTER_RATIO = 0.5
"""Spreads the callers that a burst has thrown together."""


def retried(attempt: Callable[[], T], deadline: Deadline) -> T:
    """Call `attempt` until it succeeds, fails for good, or the time or the attempts are used up.

    Raises:
        UnavailableError: The last attempt's.
        CancelledCallError: The caller gave up meanwhile (`CANCELLED`).
    """
    for pause_s in PAUSES_S:
        deadline.check_stop()
        try:
            return attempt()
        except UnavailableError:
            jittered_s = pause_s * random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311 - no secret
            if jittered_s >= deadline.remaining_s:
                raise
            deadline.pause(jittered_s)
    return attempt()
