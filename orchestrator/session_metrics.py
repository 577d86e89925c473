"""How many sessions wait, as a metric.

Replicas on one database share the sessions that wait: each tells the same number, so take the highest.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge

from chassis.errors import InterviewError

LOOK_INTERVAL_S = 5.0
MAX_COUNTED = 100_000
"""Sessions are counted up to here."""
SESSIONS_WAITING = Gauge("interview_sessions_waiting", "Sessions and reassessments that wait for their turn.")


async def tell_waiting_sessions(
    waiting_count: Callable[[int], Awaitable[int]], pause_s: float = LOOK_INTERVAL_S
) -> None:
    """Keep the number of waiting sessions up to date, until cancelled. A database that is away leaves it."""
    while True:
        with contextlib.suppress(InterviewError):
            SESSIONS_WAITING.set(await waiting_count(MAX_COUNTED))
        await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - spreads looks
