"""An upload that would not be accepted is refused before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.errors import DeadlineError
from gateway.app import create_app
from gateway.sessions import Capabilities
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio

HEADERS = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": "20000000"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def twenty_megabytes(read: list[int]) -> AsyncIterator[bytes]:
    for _ in range(20):
        read.append(1_000_000)
        yield b"\x00" * 1_000_000


@pytest.mark.parametrize("path", ["/upload", "/upload_json"])
@pytest.mark.parametrize("trouble", ["SESSIONS_FULL", "ORCHESTRATOR_UNAVAILABLE"])
async def test_a_busy_or_absent_orchestrator_is_said_before_a_byte_is_read(
    bench: Bench, path: str, trouble: str
) -> None:
    if trouble == "SESSIONS_FULL":
        bench.orchestrator.capabilities = replace(bench.orchestrator.capabilities, has_room=False)
    else:
        bench.orchestrator.go_down()
    read: list[int] = []

    reply = await bench.http.post(path, content=twenty_megabytes(read), headers=HEADERS)

    assert (reply.status_code, reply.json()["code"]) == (503, trouble)
    assert reply.headers["Retry-After"] == "30"
    assert reply.headers["Connection"] == "close"
    assert "Nothing was accepted" in reply.json()["message"]
    assert read == []
    assert not bench.left_behind()


async def test_a_repeat_of_an_accepted_upload_needs_no_room(bench: Bench) -> None:
    keyed = {"Idempotency-Key": "form-7"}
    first = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=keyed)
    bench.orchestrator.capabilities = replace(bench.orchestrator.capabilities, has_room=False)

    again = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=keyed)

    assert first.json() == again.json()


async def test_many_uploads_at_once_ask_for_room_once(bench: Bench) -> None:
    replies = await asyncio.gather(
        *(bench.http.post("/upload", files=videos(MP4), data=form("?")) for _ in range(20))
    )

    assert {reply.status_code for reply in replies} <= {200, 429}
    assert bench.orchestrator.capability_calls <= 2


class Hanging(FakeOrchestrator):
    """One whose stage does not answer. It answers itself unless it is frozen."""

    frozen = False

    async def get_capabilities(self) -> Capabilities:
        self.capability_calls += 1
        if self.capability_calls == 1:
            await asyncio.sleep(3600)
        raise DeadlineError("Too late.", reason="DEADLINE_EXCEEDED")

    async def ping(self) -> None:
        if self.frozen:
            self.go_down()
        self._check()


@pytest.mark.parametrize(("frozen", "status"), [(False, 200), (True, 503)])
async def test_a_stage_that_hangs_stops_no_upload_and_a_frozen_orchestrator_does(
    tmp_path: Path, frozen: bool, status: int
) -> None:
    bench = Bench(tmp_path)
    hanging: Any = Hanging()
    hanging.frozen = frozen
    app = create_app(bench.settings, hanging, bench.store)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        reply = await http.post("/upload", files=videos(MP4), data=form("?"))

    assert reply.status_code == status
