"""What a replica tells of the answers that wait for a stage and that are at work there."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from orchestrator.running.places import OwnPlaces
from orchestrator.running.stage_queue import StageQueue
from tests.waiting import until

pytestmark = pytest.mark.anyio

STAGE = "stage-of-this-test"


def told(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"interview_{name}", {"stage": STAGE})


async def test_answers_that_wait_and_work_are_told_and_how_long_the_oldest_waits() -> None:
    now_s = 100.0
    queue = StageQueue(STAGE, lambda: now_s)
    places, leave = OwnPlaces({STAGE: 2}), asyncio.Event()

    async def answer() -> None:
        with queue.needing():
            async with queue.at_work(places[STAGE]):
                await leave.wait()

    tasks = [asyncio.create_task(answer()) for _ in range(5)]
    await until(lambda: told("stage_running_answers") == 2)
    now_s = 107.0

    assert told("stage_waiting_answers") == 3
    assert told("oldest_waiting_answer_age_seconds") == 7

    tasks[-1].cancel()
    await asyncio.wait({tasks[-1]})
    assert told("stage_waiting_answers") == 2
    leave.set()
    await asyncio.gather(*tasks[:-1])
    assert [told("stage_waiting_answers"), told("stage_running_answers")] == [0, 0]
    assert told("oldest_waiting_answer_age_seconds") == 0
