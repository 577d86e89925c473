"""Who watches a process's health is told its end, and does not delay it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis import client
from chassis.server import start_server
from chassis.settings import ServiceSettings
from chassis.watched_health import WatchedHealth
from tests.stage_world import SERVICE

pytestmark = pytest.mark.anyio

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
LONG_S = 600


@pytest.mark.parametrize("name", ["", SERVICE, "example.Unknown"])
async def test_a_watcher_of_the_health_is_told_the_end_and_does_not_delay_it(name: str) -> None:
    settings = ServiceSettings(host="127.0.0.1", port=0)
    server, health, port = await start_server(settings, SERVICE, lambda _: None)
    async with client.open_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=name))
        first = await watch.read()

        await health.enter_graceful_shutdown()
        await asyncio.wait_for(server.stop(LONG_S), 60)
        told = []
        while (reply := await watch.read()) is not grpc.aio.EOF:
            told.append(reply.status)

    assert (first.status == SERVING) == (name != "example.Unknown")
    assert set(told) == {NOT_SERVING}


async def test_a_watcher_is_told_each_change_before() -> None:
    settings = ServiceSettings(host="127.0.0.1", port=0)
    server, health, port = await start_server(settings, SERVICE, lambda _: None)
    async with client.open_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        told = [(await watch.read()).status]
        for state in (NOT_SERVING, SERVING):
            await health.set(SERVICE, state)
            told.append((await watch.read()).status)
        watch.cancel()
        await server.stop(0)

    assert told == [SERVING, NOT_SERVING, SERVING]


class SlowContext:
    """A call whose second write takes a while. One that is cut off stays begun, as in gRPC's core."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.heard = asyncio.Event()
        self.slow = asyncio.Event()
        self.go_on = asyncio.Event()
        self._busy = False

    async def write(self, reply: Any) -> None:
        assert not self._busy, "a write is begun already"
        self._busy = True
        if self.told:
            self.slow.set()
            await self.go_on.wait()
        self._busy = False
        self.told.append(reply.status)
        self.heard.set()


async def test_a_watcher_who_is_being_told_something_is_told_the_end_afterwards() -> None:
    health, context = WatchedHealth(), SlowContext()
    await health.set(SERVICE, SERVING)
    request = health_pb2.HealthCheckRequest(service=SERVICE)
    watch = asyncio.ensure_future(health.Watch(request, cast("Any", context)))
    await context.heard.wait()

    await health.enter_graceful_shutdown()
    await context.slow.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    context.go_on.set()
    await asyncio.wait_for(watch, 60)

    assert context.told[0] == SERVING and set(context.told[1:]) == {NOT_SERVING}
