"""How many sessions wait, as a metric, and where the counts of sessions and stages begin.

Replicas on one database share the sessions that wait: each tells the same number, so take the highest.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable

from prometheus_client import Gauge

from chassis.errors import InterviewError
from chassis.telemetry import SESSIONS_ENDED, STAGE_SECONDS
from orchestrator import workflow

ENDED = ("completed", "failed", "cancelled")
"""How a session ends."""
LOOK_INTERVAL_S = 5.0
MAX_COUNTED = 100_000
"""Sessions are counted up to here."""
SESSIONS_WAITING = Gauge("interview_sessions_waiting", "Sessions and reassessments that wait for their turn.")


def begin_counting(stages: Iterable[str]) -> None:
    """Export each count of sessions and stages as 0 before there is one.

    Prometheus takes the first value that it sees for a counter's beginning. Sessions that all fail between
    two of its looks would not count, and no alert would tell of them.

    Args:
        stages: Names of the stages that are at work here.
    """
    for state in ENDED:
        SESSIONS_ENDED.labels(state)
    for stage in stages:
        for outcome in (workflow.OK, workflow.SERVICE_UNAVAILABLE):
            STAGE_SECONDS.labels(stage, outcome)


async def tell_waiting_sessions(
    waiting_count: Callable[[int], Awaitable[int]], pause_s: float = LOOK_INTERVAL_S
) -> None:
    """Keep the number of waiting sessions up to date, until cancelled. A database that is away leaves it."""
    while True:
        with contextlib.suppress(InterviewError):
            SESSIONS_WAITING.set(await waiting_count(MAX_COUNTED))
        await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - spreads looks
