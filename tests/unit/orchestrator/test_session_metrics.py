"""How many sessions wait is told as a metric."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from chassis.errors import UnavailableError
from orchestrator.session_metrics import begin_counting, tell_waiting_sessions
from tests.waiting import until

pytestmark = pytest.mark.anyio


async def test_what_is_counted_begins_with_zero_and_not_with_the_first_failure() -> None:
    """Prometheus takes the first value that it sees for where a counter began: it would not see that one."""
    begin_counting(["vision", "speaker"])

    for state in ("completed", "failed", "cancelled"):
        assert REGISTRY.get_sample_value("interview_sessions_ended_total", {"state": state}) is not None
    for stage in ("vision", "speaker"):
        for outcome in ("OK", "SERVICE_UNAVAILABLE"):
            labels = {"stage": stage, "outcome": outcome}
            assert REGISTRY.get_sample_value("interview_stage_seconds_count", labels) is not None


async def test_the_number_of_waiting_sessions_is_told_and_stays_while_the_database_is_away() -> None:
    asked = 0

    async def waiting_count(limit: int) -> int:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise UnavailableError("away", reason="DATABASE_UNAVAILABLE")
        return 7

    telling = asyncio.create_task(tell_waiting_sessions(waiting_count, 0.001))
    await until(lambda: asked > 3)
    assert not telling.done()
    telling.cancel()

    assert REGISTRY.get_sample_value("interview_sessions_waiting") == 7
