"""Channels to one address, one after the other and beside each other, on real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis import client
from chassis.errors import UnavailableError
from chassis.server import start_server
from chassis.settings import ServiceSettings

pytestmark = pytest.mark.anyio

SERVICE = "interview.v1.SpeakerService"


async def health(channel: grpc.aio.Channel) -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    response = await client.unary(
        stub.Check, health_pb2.HealthCheckRequest(), timeout_s=5, retry=client.NO_RETRY
    )
    return int(response.status)


async def test_a_new_channel_reaches_a_server_where_an_old_channel_found_none() -> None:
    """Channels to one address shared their connection, the failed one and its waiting time included."""
    server, _, port = await start_server(ServiceSettings(port=0), SERVICE, lambda _: None)
    address = f"127.0.0.1:{port}"
    async with client.open_channel(address) as old:
        await health(old)
        await server.stop(None)
        for _ in range(2):  # the second failure is of a connection that was refused
            with pytest.raises(UnavailableError):
                await health(old)
            await asyncio.sleep(0.2)

        again, _, _ = await start_server(ServiceSettings(port=port), SERVICE, lambda _: None)
        async with client.open_channel(address) as new:
            assert await health(new) == health_pb2.HealthCheckResponse.SERVING
        await again.stop(None)
