"""All stages are away for more than a minute, by the settings of every day, and come back."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.stage_process import wait_for_calls, wait_for_port
from tests.folders import ROOT
from tests.free_ports import free_port
from tests.world import COMPLETED, FAILED, running

SESSION_COUNT = 20
AWAY_S = float(os.environ.get("INTERVIEW_TEST_AWAY_S", "65"))
"""600 is the ten minutes that are promised."""
pytestmark = [pytest.mark.e2e, pytest.mark.anyio, pytest.mark.timeout(AWAY_S + 400)]
CALL_S = 0.5
PLACE_COUNT = 2
WAITED_FOR = ("transcribe", "vision", "speaker")
STAGES = {
    "transcribe": "transcriber",
    "translate": "translator",
    "assess": "assessor",
    "vision": "vision",
    "speaker": "speaker",
}


@asynccontextmanager
async def stages_running(counts: Path, port: int) -> AsyncIterator[float]:
    """Run the five services as one process. Yields when it listened, by the monotonic clock."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.stage_process", str(counts), str(CALL_S), str(port)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_for_port(port)
        yield time.monotonic()
    finally:
        child.kill()
        await child.wait()


def most_at_once(counts: Path, stage: str) -> int:
    """Return how many calls of a stage there were at once."""
    at_work, most = 0, 0
    for line in counts.read_text().splitlines():
        if line[1:].startswith(stage):
            at_work += 1 if line[0] == "+" else -1
            most = max(most, at_work)
    return most


async def test_twenty_sessions_outlast_it_and_go_on_at_once(tmp_path: Path) -> None:
    port, counts = free_port(), tmp_path / "counts"
    addresses = {f"{service}_address": f"127.0.0.1:{port}" for service in STAGES.values()}
    everyday = {"stage_attempt_count": 6, "stage_first_delay_s": 1.0, "stage_max_delay_s": 20.0}
    async with running(tmp_path, real=STAGES, session_count=SESSION_COUNT, **everyday, **addresses) as world:
        ids = [await world.create() for _ in range(SESSION_COUNT)]
        await asyncio.sleep(AWAY_S)
        async with stages_running(counts, port) as back_s:
            await asyncio.to_thread(wait_for_calls, counts, *WAITED_FOR)
            resumed_after_s = time.monotonic() - back_s
            ended = [await world.until(one, COMPLETED, FAILED, timeout_s=300) for one in ids]

    told = f"away for {AWAY_S:.0f} s, {SESSION_COUNT} sessions: work {resumed_after_s:.2f} s after the return"
    logging.getLogger(__name__).warning(told)
    assert [session.state for session in ended] == [COMPLETED] * SESSION_COUNT
    stages = [stage for session in ended for stage in session.answers[0].stages]
    assert {stage.attempt_count for stage in stages} == {1}
    assert max(most_at_once(counts, stage) for stage in WAITED_FOR) <= PLACE_COUNT
    assert resumed_after_s < 5
