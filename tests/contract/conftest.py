"""Fixtures of the contract tests."""

from __future__ import annotations

import asyncio

import grpc.aio
import pytest


@pytest.fixture(scope="session", autouse=True)
def grpc_kept_alive() -> None:
    """Keep gRPC's asyncio side up between tests. Its end in the middle of a loop's work is an error there."""

    async def begin() -> None:
        grpc.aio.init_grpc_aio()

    asyncio.run(begin())


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
