"""The host's clock is set by two hours while a session runs: only dates change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world import COMPLETED, FAILED, running

pytestmark = pytest.mark.anyio


SET = ("orchestrator", "dbos")
"""Whose clock is set. gRPC compares Python's time with the machine's own, which a test can't set."""


def clock_set_by(set_by_s: float) -> Callable[[], float]:
    true_time_s = time.time

    def time_s() -> float:
        caller = sys._getframe(1).f_globals["__name__"]
        return true_time_s() + (set_by_s if caller.startswith(SET) else 0.0)

    return time_s


@pytest.mark.parametrize("set_by_s", [-7200.0, 7200.0], ids=["back", "on"])
async def test_a_session_ends_with_right_durations_and_rising_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_by_s: float
) -> None:
    begun_s = time.monotonic()
    async with running(tmp_path) as world:
        world.stages.seconds = 1
        session_id = await world.create()
        await world.until_running(session_id, "vision")
        monkeypatch.setattr(time, "time", clock_set_by(set_by_s))
        session = await world.until(session_id, COMPLETED, FAILED)
        document = await world.result(session_id)
        events = await world.events(session_id)
    lasted_s = time.monotonic() - begun_s

    assert session.state == COMPLETED
    assert 1.0 <= document["processing_time"] <= lasted_s
    stages = document["results"][0]["stages"].values()
    assert all(0.0 <= stage[name] <= lasted_s for stage in stages for name in ("run_s", "queue_s"))
    assert [event.event_id for event in events] == sorted({event.event_id for event in events})
