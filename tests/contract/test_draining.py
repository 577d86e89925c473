"""A server that is told to stop sends callers elsewhere first, and a call that it drops is made again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.client import NO_RETRY, RetryPolicy, open_channel, unary
from chassis.errors import CancelledCallError, UnavailableError
from chassis.interceptors import BEGUN_KEY
from chassis.server import serve
from chassis.settings import ServiceSettings
from interview.v1 import assessor_pb2, assessor_pb2_grpc
from orchestrator.stages.remote import ask, check_serving
from orchestrator.stages.troubles import StageAwayError
from tests.fakes.servers import FakeServers
from tests.fakes.stage_process import SERVICE
from tests.waiting import until

pytestmark = pytest.mark.anyio

QUICK = RetryPolicy(2, 0.001, 0.002)


async def test_a_stopping_server_still_takes_calls_while_its_health_sends_callers_away(
    tmp_path: Path,
) -> None:
    stop = asyncio.Event()
    ports: list[int] = []
    settings = ServiceSettings(port=0, reflection=False, drain_delay_s=2.0)
    register = FakeServers(tmp_path / "counts", 0.0).add_to
    serving = asyncio.create_task(serve(settings, SERVICE, register, stop=stop, listening=ports.append))
    await until(lambda: ports)
    address = f"127.0.0.1:{ports[0]}"
    async with open_channel(address) as plain, open_channel(address, only_serving=True) as watching:
        call, watched = (assessor_pb2_grpc.AssessorServiceStub(one).Assess for one in (plain, watching))
        await ask(watched, assessor_pb2.AssessRequest(), timeout_s=60.0)
        stop.set()
        with pytest.raises(StageAwayError):
            while True:
                await check_serving(plain)
        late = await unary(call, assessor_pb2.AssessRequest(), timeout_s=60.0, retry=NO_RETRY)
        with pytest.raises(UnavailableError, match="can't be reached"):
            await unary(watched, assessor_pb2.AssessRequest(), timeout_s=60.0, retry=NO_RETRY)

    assert late.HasField("assessment")
    assert await serving == 0


class Dropping:
    """A method that is cancelled by its server at first."""

    def __init__(self, *said: tuple[str, str]) -> None:
        self._said = grpc.aio.Metadata(*said)
        self.count = 0

    async def __call__(self, request: Any, **_: Any) -> str:
        self.count += 1
        if self.count == 1:
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.CANCELLED, self._said, grpc.aio.Metadata(), "CANCELLED"
            )
        return "done"


async def test_a_call_that_a_stopping_server_dropped_is_made_again() -> None:
    method = Dropping()

    assert await unary(method, None, timeout_s=60.0, retry=QUICK) == "done"
    with pytest.raises(StageAwayError):  # nobody's attempt
        await ask(Dropping(), None, timeout_s=60.0)


async def test_a_call_that_had_begun_and_was_cancelled_is_not_made_again() -> None:
    method = Dropping((BEGUN_KEY, "1"))

    with pytest.raises(CancelledCallError):
        await unary(method, None, timeout_s=60.0, retry=QUICK)
    assert method.count == 1
