"""The gateway over real sockets: HTTP on one side, gRPC to the orchestrator on the other."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from chassis.errors import InvalidInputError, UnavailableError
from gateway.orchestrator_client import OrchestratorClient
from gateway.sessions import SessionDraft
from tests.gateway_bench import MP4, Bench, form, listening, one_answer, videos

SESSION_ID = "a" * 32
BOUNDARY = b"frontier"
HEAD = (
    b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="videos"; filename="a.mp4"\r\n'
    b"Content-Type: video/mp4\r\n\r\n" + MP4
)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda client: client.create_session(SessionDraft(SESSION_ID, "", "", ())), "not certain that the"),
        (lambda client: client.get_session(SESSION_ID), "Ask again"),
        (lambda client: client.get_result(SESSION_ID), "Ask again"),
        (lambda client: client.delete_session(SESSION_ID), "not certain that the change was made"),
        (lambda client: client.cancel_session(SESSION_ID), "not certain that the change was made"),
    ],
)
async def test_an_orchestrator_that_is_away_is_told_in_words_that_fit_the_call(
    call: Any, advice: str
) -> None:
    client = OrchestratorClient("127.0.0.1:1", timeout_s=0.2)

    with pytest.raises(UnavailableError) as raised:
        await call(client)

    assert advice in raised.value.message
    assert "Nothing was accepted" not in raised.value.message
    await client.aclose()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, max_file_bytes=3_000_000)


def open_upload(url: str, headers: bytes) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    content_type = b"Content-Type: multipart/form-data; boundary=" + BOUNDARY
    connection.sendall(
        b"POST /upload HTTP/1.1\r\nHost: "
        + host.encode()
        + b"\r\n"
        + content_type
        + b"\r\n"
        + headers
        + b"\r\n"
    )
    return connection


def wait_until(condition: Any, timeout_s: float = 5.0) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


def test_a_client_that_leaves_in_the_middle_leaves_nothing_on_disk(bench: Bench) -> None:
    with listening(bench.app) as url:
        connection = open_upload(url, b"Content-Length: 2900000\r\n")
        connection.sendall(HEAD + b"\x00" * 2_000_000)
        arrived = wait_until(lambda: any(path.stat().st_size for path in bench.left_behind()))
        connection.close()
        gone = wait_until(lambda: not list(bench.spool_dir.iterdir()))

    assert arrived  # it was on disk …
    assert gone  # … and is no more
    assert not bench.left_behind()
    assert not bench.orchestrator.drafts


def test_a_client_that_falls_silent_is_let_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path, upload_idle_timeout_s=0.3)
    with listening(bench.app) as url:
        connection = open_upload(url, b"Content-Length: 5000\r\n")
        connection.sendall(HEAD)
        answer = one_answer(connection)
        connection.close()

    assert answer.startswith(b"HTTP/1.1 408")
    assert not bench.left_behind()


def test_a_client_that_sends_too_much_reads_why_instead_of_a_broken_pipe(bench: Bench) -> None:
    with listening(bench.app) as url:
        connection = open_upload(url, b"Content-Length: 9000000\r\n")
        connection.sendall(HEAD + b"\x00" * (9_000_000 - len(HEAD)))
        answer = one_answer(connection)
        connection.close()

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"FILE_TOO_LARGE" in answer


def test_a_chunked_body_without_an_end_is_cut(bench: Bench) -> None:
    block = b"\x00" * 65_536
    sent_bytes = 0
    with listening(bench.app) as url:
        connection = open_upload(url, b"Transfer-Encoding: chunked\r\n")
        connection.sendall(b"%x\r\n%b\r\n" % (len(HEAD), HEAD))
        try:
            while sent_bytes < 200_000_000:
                connection.sendall(b"%x\r\n%b\r\n" % (len(block), block))
                sent_bytes += len(block)
        except OSError:
            pass  # cut off, as it should be
        connection.close()

    assert sent_bytes < 60_000_000  # the limit, what is dropped out of politeness, and what sockets hold
    assert not bench.left_behind()


def test_events_reach_a_client_while_the_session_runs(bench: Bench) -> None:
    with listening(bench.app) as url, httpx.Client(base_url=url, timeout=10) as http:
        session_id = http.post("/upload", files=videos(MP4), data=form("?")).json()["session_id"]
        with http.stream("GET", f"/sessions/{session_id}/events") as stream:
            lines = stream.iter_lines()
            first = next(line for line in lines if line.startswith("data:"))
            assert http.post(f"/sessions/{session_id}/cancel").status_code == 200
            second = next(line for line in lines if line.startswith("data:"))
        with http.stream("GET", f"/sessions/{session_id}/events", headers={"Last-Event-ID": "1"}) as stream:
            resumed = [line for line in stream.iter_lines() if line.startswith("id:")]

    assert json.loads(first[5:])["state"] == "queued"
    assert json.loads(second[5:])["state"] == "cancelled"
    assert resumed == ["id: 2"]


def test_a_websocket_carries_the_same_events(bench: Bench) -> None:
    with listening(bench.app) as url, httpx.Client(base_url=url, timeout=10) as http:
        session_id = http.post("/upload", files=videos(MP4), data=form("?")).json()["session_id"]
        with connect(f"{url.replace('http', 'ws')}/ws/{session_id}") as channel:
            first = json.loads(channel.recv(timeout=5))
            http.post(f"/sessions/{session_id}/cancel")
            second = json.loads(channel.recv(timeout=5))
            with pytest.raises(ConnectionClosedOK):
                channel.recv(timeout=5)

    assert (first["id"], first["data"]["state"]) == (1, "queued")
    assert (second["id"], second["data"]["state"]) == (2, "cancelled")


@pytest.mark.parametrize(
    ("path", "code"), [("nonsense", "SESSION_ID_INVALID"), ("0" * 32, "SESSION_NOT_FOUND")]
)
def test_a_websocket_says_why_it_is_closed(bench: Bench, path: str, code: str) -> None:
    with listening(bench.app) as url, connect(f"{url.replace('http', 'ws')}/ws/{path}") as channel:
        answer = json.loads(channel.recv(timeout=5))

    assert answer["code"] == code


def test_a_foreign_page_gets_no_websocket(bench: Bench) -> None:
    with listening(bench.app) as url, pytest.raises(InvalidStatus) as caught:
        connect(f"{url.replace('http', 'ws')}/ws/{'0' * 32}", origin=Origin("https://evil.example"))

    assert caught.value.response.status_code == 403


def test_the_web_server_logs_neither_whose_websocket_it_was_nor_what_was_asked_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="uvicorn.error")
    with listening(bench.app) as url:
        address = f"{url.replace('http', 'ws')}/ws/{'0' * 32}?api_key=s3cret"
        with connect(address) as channel:
            channel.recv(timeout=5)
        with pytest.raises(InvalidStatus):
            connect(address, origin=Origin("https://evil.example"))

    # As it ends the server waits for both, so all is written by now.
    told = [line.getMessage() for line in caplog.records if line.name == "uvicorn.error"]
    assert {"a WebSocket was accepted", "a WebSocket was refused"} <= set(told)
    assert not [text for text in told if "s3cret" in text or "0" * 32 in text or "127.0.0.1:" in text]
    assert not [text for text in told if "ASGI" in text]


def test_no_more_uploads_at_once_than_configured(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_concurrent_uploads=1)
    with listening(bench.app) as url:
        connection = open_upload(url, b"Content-Length: 5000\r\n")
        connection.sendall(HEAD)
        assert wait_until(lambda: bool(list(bench.spool_dir.iterdir())))
        second = httpx.post(f"{url}/upload", files=videos(MP4), data=form("?"))
        connection.close()

    assert (second.status_code, second.json()["code"]) == (503, "UPLOADS_FULL")
    assert int(second.headers["Retry-After"]) >= 1


@pytest.mark.anyio
async def test_two_uploads_with_one_key_at_the_same_time_are_one_session(bench: Bench) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield HEAD
        await asyncio.sleep(0.3)
        yield b"\r\n--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="questions"\r\n\r\n?\r\n'
        yield b"--" + BOUNDARY + b"--\r\n"

    headers = {"Idempotency-Key": "k", "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    first, second = await asyncio.gather(
        *(bench.http.post("/upload", content=slow(), headers=headers) for _ in range(2))
    )

    assert sorted((first.status_code, second.status_code)) == [200, 409]
    assert len(bench.orchestrator.drafts) == 1
    assert len(bench.left_behind()) == 1


@pytest.mark.anyio
async def test_a_session_that_the_orchestrator_refuses_is_the_clients_to_mend(bench: Bench) -> None:
    bench.orchestrator.refusal = InvalidInputError(
        "No such rubric.", reason="SESSION_INVALID", fields={"rubric_id": "unknown"}
    )

    reply = await bench.http.post("/upload", files=videos(MP4), data=form("?"))

    assert (reply.status_code, reply.json()["code"]) == (400, "SESSION_INVALID")
    assert reply.json()["fields"] == {"rubric_id": "unknown"}
    assert not bench.left_behind()
