"""Event streams and WebSockets: how many there may be, and when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chassis import api_keys
from chassis.key_file import changing
from gateway.sessions import SessionState, SessionView
from tests.asgi_socket import messages_of
from tests.gateway_bench import MP4, Bench, form, videos
from tests.waiting import until

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
LOCAL = {"Host": "127.0.0.1:7860"}


def made(file: Path, *names: str) -> list[dict[str, str]]:
    """Make keys of one group, and return their headers."""
    shown = []
    with changing(file) as kept:
        for name in names:
            kept.book, key = api_keys.created(kept.book, name, now=NOW, scopes=("submit", "read"), group="hr")
            shown.append({"X-API-Key": key} | LOCAL)
    return shown


async def running(bench: Bench, headers: dict[str, str]) -> str:
    reply = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=headers)
    return str(reply.json()["session_id"])


@contextmanager
def open_streams(bench: Bench, session_id: str, *clients: dict[str, str]) -> Iterator[list[Any]]:
    """Open an event stream for each client."""
    path = f"/sessions/{session_id}/events"
    tasks = [asyncio.create_task(bench.http.get(path, headers=headers)) for headers in clients]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()


async def until_open(bench: Bench, count: int) -> None:
    await until(lambda: bench.gateway.stream_places._taken.total() == count)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    file = tmp_path / "keys.json"
    yield Bench(tmp_path, keys_file=file, keys_reload_s=0, max_streams=3, max_streams_per_client=2)


async def test_streams_and_sockets_of_one_client_are_bounded_together(bench: Bench, tmp_path: Path) -> None:
    ana, ben, eve = made(tmp_path / "keys.json", "ana", "ben", "eve")
    session_id = await running(bench, ana)
    path, socket = f"/sessions/{session_id}/events", f"/ws/{session_id}"
    with open_streams(bench, session_id, ana, ana):
        await until_open(bench, 2)
        own = await bench.http.get(path, headers=ana)
        own_socket = await messages_of(bench.app, socket, ana)
        with open_streams(bench, session_id, ben):
            await until_open(bench, 3)
            of_all = await bench.http.get(path, headers=eve)
            status = await bench.http.get(f"/status/{session_id}", headers=eve)
        await until_open(bench, 2)
        bench.orchestrator.set(SessionView(session_id, SessionState.COMPLETED, 1.0))
    await until_open(bench, 0)
    again = await bench.http.get(path, headers=ana)

    assert (own.status_code, own.json()["code"]) == (429, "STREAMS_OF_CLIENT_FULL")
    assert [own_socket[0]["code"], own_socket[1]] == ["STREAMS_OF_CLIENT_FULL", 1013]
    assert (of_all.status_code, of_all.json()["code"]) == (503, "STREAMS_FULL")
    assert int(of_all.headers["Retry-After"]) > 0
    assert status.status_code == 200
    assert again.status_code == 200


async def test_a_stream_tells_nothing_more_once_its_key_was_revoked(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    ana, ben = made(file, "ana", "ben")
    session_id = await running(bench, ana)
    socket = asyncio.create_task(messages_of(bench.app, f"/ws/{session_id}", ben))
    with open_streams(bench, session_id, ana, ben) as (of_ana, of_ben):
        await until_open(bench, 3)
        with changing(file) as kept:
            kept.book = api_keys.revoked(kept.book, "ben", now=NOW)
        bench.orchestrator.set(SessionView(session_id, SessionState.COMPLETED, 1.0))
        kept_in, put_out, messages = await asyncio.gather(of_ana, of_ben, socket)

    assert '"state": "completed"' in kept_in.text
    for text in (put_out.text, str(messages)):
        assert "completed" not in text
        assert "API_KEY_INVALID" in text
    await until_open(bench, 0)
