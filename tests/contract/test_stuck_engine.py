"""An engine that goes on although its caller is gone: the process says so, ends, and can be started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis import client
from chassis.errors import DeadlineError, InterviewError
from chassis.server import EXIT_START_AGAIN
from tests.folders import ROOT
from tests.stage_world import SERVICE, call, chunk, opening

pytestmark = pytest.mark.anyio

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass
class Process:
    """A running stage."""

    process: asyncio.subprocess.Process
    channel: grpc.aio.Channel
    lines: list[dict[str, Any]]

    async def ended(self) -> int:
        """Return its exit status, and keep the rest of its log."""
        assert self.process.stdout is not None
        rest = await asyncio.wait_for(self.process.stdout.read(), 60)
        self.lines += [json.loads(line) for line in rest.splitlines()]
        return await self.process.wait()

    async def until_not_serving(self, service: str) -> None:
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=service))
        async for reply in watch:
            if reply.status == NOT_SERVING:
                break
        watch.cancel()


@asynccontextmanager
async def stuck_stage(**settings: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.stuck_stage"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {f"STUCK_{name.upper()}": value for name, value in settings.items()},
    )
    try:
        assert process.stdout is not None
        first = json.loads(await process.stdout.readline())
        async with client.open_channel(f"127.0.0.1:{first['port']}") as channel:
            yield Process(process, channel, [first])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def give_up_on(stage: Process) -> None:
    with pytest.raises(DeadlineError):
        await call(stage.channel, opening(), chunk(b"stuck"), timeout_s=1.0)


async def test_a_stage_with_a_stuck_engine_lets_others_end_and_then_exits_to_be_started_again(
    tmp_path: Path,
) -> None:
    go = tmp_path / "go"
    async with stuck_stage(worker_count="2", max_stop_s="0.5", drain_timeout_s="60") as stage:
        told = [asyncio.create_task(stage.until_not_serving(name)) for name in ("", SERVICE)]
        other = asyncio.create_task(call(stage.channel, opening(), chunk(str(go).encode()), timeout_s=60))
        await give_up_on(stage)
        await asyncio.wait_for(asyncio.gather(*told), 30)
        go.touch()

        assert await other == [1.0, 2.0]
        assert await stage.ended() == EXIT_START_AGAIN

    last_words = next(line for line in stage.lines if line["level"] == "CRITICAL")
    assert "told to stop" in last_words["message"]
    assert last_words["work_count"] == 1
    assert last_words["since_s"] >= 0.5


async def test_a_call_that_ends_when_it_is_told_to_ends_no_process(tmp_path: Path) -> None:
    async with stuck_stage(max_stop_s="0.5") as stage:
        with pytest.raises(DeadlineError):
            await call(stage.channel, opening(), chunk(str(tmp_path / "never").encode()), timeout_s=1.0)
        await asyncio.sleep(2)

        assert await call(stage.channel, opening(), chunk(b"quick")) == [1.0, 2.0]


async def test_a_call_that_takes_long_while_its_caller_waits_is_not_stuck(tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with stuck_stage(max_stop_s="0.5") as stage:
        slow = asyncio.create_task(call(stage.channel, opening(), chunk(str(go).encode()), timeout_s=60))
        await asyncio.sleep(2)
        go.touch()

        assert await slow == [1.0, 2.0]


async def test_a_stage_with_a_stuck_engine_ends_on_sigterm(tmp_path: Path) -> None:
    async with stuck_stage(max_stop_s="600", drain_timeout_s="0") as stage:
        await give_up_on(stage)
        stage.process.send_signal(signal.SIGTERM)

        assert await stage.ended() == 0


async def test_work_that_waited_behind_a_stuck_one_gives_its_place_back_at_once(tmp_path: Path) -> None:
    async with stuck_stage(waiting_count="1", max_stop_s="600") as stage:
        await give_up_on(stage)
        for _ in range(3):  # each of them takes the only waiting place
            with pytest.raises(InterviewError) as caught:
                await call(stage.channel, opening(), chunk(b"quick"), timeout_s=0.5)
            assert caught.value.reason == "DEADLINE_EXCEEDED"
