"""Fixtures of the contract tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc.aio
import pytest

from chassis.store import MediaStore
from chassis.store.settings import MIN_PART_BYTES
from tests.openid_provider import OpenIdProvider, openid_provider
from tests.s3_servers import S3Server, moto_server
from tests.tcp_proxy import Proxy, proxy_to


@pytest.fixture(scope="session", autouse=True)
def grpc_kept_alive() -> None:
    """Keep gRPC's asyncio side up between tests. Its end in the middle of a loop's work is an error there."""

    async def begin() -> None:
        grpc.aio.init_grpc_aio()

    asyncio.run(begin())


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    """A sign-in provider of its own."""
    with openid_provider() as running:
        yield running


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this machine's own variables of the assessor."""
    for name in (
        "HF_TOKEN",
        "ASSESSOR_HF_TOKEN",
        "LLM_BASE_URL",
        "ASSESSOR_OPENAI_BASE_URL",
        "ASSESSOR_BACKEND",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    """Speak S3 (moto's)."""
    with moto_server() as server:
        yield server


@pytest.fixture
def proxy(server: S3Server) -> Iterator[Proxy]:
    """Stand in front of the S3 server."""
    with proxy_to(server.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


@pytest.fixture
def store(server: S3Server, bucket: str, proxy: Proxy) -> MediaStore:
    """Lie behind the proxy."""
    return server.store(bucket, proxy.url, part_bytes=MIN_PART_BYTES)


@pytest.fixture
def near(server: S3Server, bucket: str) -> MediaStore:
    """Reach the same objects without the proxy."""
    return server.store(bucket)
