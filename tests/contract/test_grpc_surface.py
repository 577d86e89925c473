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
import yaml
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis.identity import Identity
from chassis.server import start_server
from chassis.settings import ServiceSettings
from tests.certificates import Authority
from tests.folders import ROOT
from tests.stage_world import SERVICE

pytestmark = pytest.mark.anyio

EVERYWHERE = "0.0.0.0"  # noqa: S104


@asynccontextmanager
async def bare_server(own: Identity | None = None, **settings: Any) -> AsyncIterator[int]:
    """Run a server without a service of ours, and yield its port."""
    server, _, port = await start_server(
        ServiceSettings(port=0, **settings), SERVICE, lambda _: None, identity=own or Identity()
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
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        replies = [reply async for reply in stub.ServerReflectionInfo(requests(), timeout=20)]
    return [service.name for reply in replies for service in reply.list_services_response.service]


async def test_methods_are_shown_on_loopback_alone_unless_that_is_set() -> None:
    for shown in ({}, {"host": EVERYWHERE, "reflection": True}):
        async with bare_server(**shown) as port:
            assert SERVICE in await listed(port)
    for hidden in ({"host": EVERYWHERE}, {"reflection": False}):
        async with bare_server(**hidden) as port:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await listed(port)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_no_process_of_the_cluster_shows_its_methods() -> None:
    values: dict[str, str] = {}
    for path in sorted((ROOT / "k8s" / "base").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            for item in document.get("items", [document]):
                values |= item.get("data", {}) if item["kind"] == "ConfigMap" else {}
    stages = ("TRANSCRIBER", "TRANSLATOR", "ASSESSOR", "SPEAKER", "VISION", "ORCHESTRATOR")

    assert {values.get(f"{name}_REFLECTION") for name in stages} == {"false"}


async def test_a_method_that_does_not_exist_is_unimplemented() -> None:
    async with bare_server() as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for name in ("/interview.v1.SpeakerService/DropAll", "/admin.Shell/Run"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(name)(b"", timeout=20)
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
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            return secure.version() or ""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_before_1_2_is_not_spoken(authority: Authority) -> None:
    own = authority.identity("speaker")
    async with bare_server(own) as port:
        for highest, agreed in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            assert await asyncio.to_thread(shake_hands, port, own, highest) == agreed
        with pytest.raises(OSError) as caught:
            await asyncio.to_thread(shake_hands, port, own, ssl.TLSVersion.TLSv1_1)
    # The server hangs up, with or without an alert. This side would have gone on.
    assert "NO_PROTOCOLS" not in str(caught.value)


@pytest.fixture
def authority(tmp_path: Any) -> Authority:
    return Authority.new(tmp_path / "certificates")
