"""What a gRPC port shows to whoever reaches it: protocols, methods, reflection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis import client
from chassis.identity import Identity
from chassis.server import Register, start_server
from chassis.settings import ServiceSettings
from chassis.telemetry import request_id
from interview.v1 import speaker_pb2, speaker_pb2_grpc
from tests.certificates import Authority
from tests.folders import ROOT
from tests.stage_world import SERVICE

pytestmark = pytest.mark.anyio

EVERYWHERE = "0.0.0.0"  # noqa: S104


@asynccontextmanager
async def bare_server(
    register: Register = lambda _: None, own: Identity | None = None, **settings: Any
) -> AsyncIterator[int]:
    """Run a server without a service of ours unless one is registered, and yield its port."""
    server, _, port = await start_server(
        ServiceSettings(port=0, **settings), SERVICE, register, identity=own or Identity()
    )
    try:
        yield port
    finally:
        await server.stop(None)
        await asyncio.sleep(0.05)  # gRPC's last events of a failed handshake belong to this loop


async def listed(port: int) -> list[str]:
    async def requests() -> AsyncIterator[Any]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
        replies = [reply async for reply in stub.ServerReflectionInfo(requests(), timeout=20)]
    return [service.name for reply in replies for service in reply.list_services_response.service]


async def test_methods_are_shown_on_loopback_alone_unless_that_is_set() -> None:
    shows: tuple[dict[str, Any], ...] = ({}, {"host": EVERYWHERE, "reflection": True})
    for shown in shows:
        async with bare_server(**shown) as port:
            assert SERVICE in await listed(port)
    hides: tuple[dict[str, Any], ...] = ({"host": EVERYWHERE}, {"reflection": False})
    for hidden in hides:
        async with bare_server(**hidden) as port:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await listed(port)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_no_process_of_the_cluster_shows_its_methods() -> None:
    lines = [
        line
        for path in sorted((ROOT / "k8s" / "base" / "settings").glob("*.env"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    stages = ("TRANSCRIBER", "TRANSLATOR", "ASSESSOR", "SPEAKER", "VISION", "ORCHESTRATOR")

    assert {values.get(f"{name}_REFLECTION") for name in stages} == {"false"}


async def test_the_number_of_a_request_reaches_the_process_that_is_called() -> None:
    heard: list[str] = []

    class Speaker(speaker_pb2_grpc.SpeakerServiceServicer):
        async def GetCapabilities(self, request: Any, context: Any) -> Any:
            heard.append(request_id.get())
            return speaker_pb2.SpeakerServiceGetCapabilitiesResponse()

    def register(server: grpc.aio.Server) -> None:
        speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(Speaker(), server)

    asked = speaker_pb2.SpeakerServiceGetCapabilitiesRequest()
    before = request_id.set("abc-1")
    try:
        async with (
            bare_server(register) as port,
            client.open_channel(f"127.0.0.1:{port}", Identity()) as channel,
        ):
            stub: Any = speaker_pb2_grpc.SpeakerServiceStub(channel)
            await client.unary(stub.GetCapabilities, asked, timeout_s=20)
    finally:
        request_id.reset(before)

    assert heard == ["abc-1"]


async def test_a_method_that_does_not_exist_is_unimplemented() -> None:
    async with bare_server() as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for name in ("/interview.v1.SpeakerService/DropAll", "/admin.Shell/Run"):
            method: Any = channel.unary_unary(name)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await method(b"", timeout=20)
            assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def shake_hands(port: int, own: Identity, highest: ssl.TLSVersion) -> str:
    """Connect with a certificate and versions up to one, and return the version that the server agreed to."""
    assert own.tls is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(own.tls.ca)
    context.load_cert_chain(own.tls.cert, own.tls.key)
    context.set_ciphers("ALL:@SECLEVEL=0")  # this side would take the old versions
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, highest
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        return secure.version() or ""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_before_1_2_is_not_spoken(authority: Authority) -> None:
    own = authority.identity("speaker")
    async with bare_server(own=own) as port:
        for highest, agreed in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            assert await asyncio.to_thread(shake_hands, port, own, highest) == agreed
        with pytest.raises(OSError) as caught:
            await asyncio.to_thread(shake_hands, port, own, ssl.TLSVersion.TLSv1_1)
    # The server hangs up, with or without an alert. This side would have gone on.
    assert "NO_PROTOCOLS" not in str(caught.value)


@pytest.fixture
def authority(tmp_path: Any) -> Authority:
    return Authority.new(tmp_path / "certificates")
