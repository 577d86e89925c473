"""Connections to the gateway over real sockets: early answers are read, heads and bodies have bounds."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from gateway.server import server_config
from tests.gateway_bench import MP4, Bench, form, listening, one_answer, videos

BODY_BYTES = 20_000_000
BLOCK = b"\x00" * 65_536
CLIENT_COUNT = 20
FEW_BYTES = 12_000_000
"""The 1 MB that is read, and what buffers take unread (2 and 4 MB, or at most twice as much)."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, max_file_bytes=100_000_000)


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def head(url: str, *headers: bytes) -> bytes:
    host = url.removeprefix("http://").encode()
    lines = [b"POST /upload HTTP/1.1", b"Host: " + host, *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


UPLOAD_HEADERS = (
    b"Content-Type: multipart/form-data; boundary=B",
    b"Content-Length: " + str(BODY_BYTES).encode(),
)


def answer_of(connection: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    answer = b""
    while block := connection.recv(65_536):
        answer += block
    return answer


def send_until_answered(url: str) -> tuple[bytes, int]:
    """Send 20 MB and look for an answer on the way. Return it, and how many bytes went out before it came."""
    with connected(url) as connection:
        connection.sendall(head(url, *UPLOAD_HEADERS))
        sent_bytes = 0
        while sent_bytes < BODY_BYTES:
            readable, writable, _ = select.select([connection], [connection], [], 30)
            if readable:
                break
            if writable:
                sent_bytes += connection.send(BLOCK)
        return answer_of(connection), sent_bytes


def send_blindly(url: str) -> tuple[int, str, int]:
    """Send 20 MB as httpx does, which reads the answer last. Return status, reason, and what went out."""
    sent: list[int] = []

    def body() -> Iterator[bytes]:
        for _ in range(BODY_BYTES // len(BLOCK)):
            sent.append(len(BLOCK))
            yield BLOCK

    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": str(len(BLOCK) * 305)}
    with httpx.Client(base_url=url, timeout=30) as http:
        reply = http.post("/upload", content=body(), headers=headers)
    return reply.status_code, reply.json()["code"], sum(sent)


@pytest.fixture
def full(bench: Bench) -> Bench:
    bench.orchestrator.capabilities = replace(bench.orchestrator.capabilities, has_room=False)
    return bench


def test_of_20_clients_that_send_20_mb_to_a_full_system_each_reads_the_503(full: Bench) -> None:
    with listening(full.app) as url, ThreadPoolExecutor(CLIENT_COUNT) as clients:
        answers = list(clients.map(lambda _: send_until_answered(url), range(CLIENT_COUNT)))

    assert [answer[:12] for answer, _ in answers] == [b"HTTP/1.1 503"] * CLIENT_COUNT
    assert all(b"retry-after: 30" in answer.lower() for answer, _ in answers)
    assert all(
        json.loads(answer.split(b"\r\n\r\n", 1)[1])["code"] == "SESSIONS_FULL" for answer, _ in answers
    )
    assert max(sent_bytes for _, sent_bytes in answers) < FEW_BYTES
    assert not full.left_behind()


def test_a_client_that_reads_its_answer_last_reads_the_503_too(full: Bench) -> None:
    with listening(full.app) as url, ThreadPoolExecutor(CLIENT_COUNT) as clients:
        answers = list(clients.map(lambda _: send_blindly(url), range(CLIENT_COUNT)))

    assert [answer[:2] for answer in answers] == [(503, "SESSIONS_FULL")] * CLIENT_COUNT
    assert max(sent_bytes for _, _, sent_bytes in answers) < FEW_BYTES


def test_a_head_of_many_megabytes_is_refused_after_64_kb(bench: Bench) -> None:
    with listening(bench.app) as url, connected(url) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Large: ")
        sent_bytes = 0
        try:
            while sent_bytes < 300_000_000 and not select.select([connection], [], [], 0)[0]:
                sent_bytes += connection.send(b"a" * 65_536)
            answer = one_answer(connection)
        finally:
            healthy = httpx.get(f"{url}/healthz").status_code

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"HTTP_INVALID" in answer
    assert sent_bytes < FEW_BYTES
    assert healthy == 200


def test_a_head_of_16_kb_is_read(bench: Bench) -> None:
    with listening(bench.app) as url:
        assert httpx.get(f"{url}/healthz", headers={"X-Large": "a" * 16_384}).status_code == 200


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_head_that_does_not_end_is_given_up(bench: Bench, begun: bytes) -> None:
    with listening(bench.app, head_timeout_s=0.3) as url, connected(url) as connection:
        connection.sendall(begun)
        answer = answer_of(connection)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"HEADERS_STALLED" in answer


def test_a_head_that_drips_is_given_up_on_a_connection_that_was_used_before(bench: Bench) -> None:
    with listening(bench.app, head_timeout_s=0.5) as url, connected(url) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        first = one_answer(connection)
        while not select.select([connection], [], [], 0.05)[0]:
            connection.send(b"G" if not first.endswith(b"G") else b"E")
        answer = answer_of(connection)

    assert first.startswith(b"HTTP/1.1 200")
    assert answer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))


def test_a_request_that_waits_for_its_answer_is_not_taken_for_a_late_head(bench: Bench) -> None:
    with listening(bench.app, head_timeout_s=0.3) as url, connected(url) as connection:
        request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for _ in range(2):
            connection.sendall(request)
            assert one_answer(connection).startswith(b"HTTP/1.1 200")
            time.sleep(0.6)  # Longer than a head may take: between two requests nobody counts.


def test_a_client_that_was_answered_early_is_cut_off_in_the_end(full: Bench) -> None:
    with listening(full.app) as url, connected(url) as connection:
        connection.sendall(head(url, *UPLOAD_HEADERS))
        assert answer_of(connection).startswith(b"HTTP/1.1 503")
        with pytest.raises(OSError):
            while True:  # It goes on though it was answered.
                connection.sendall(BLOCK)


def drip(connection: socket.socket, interval_s: float) -> bytes:
    """Send a byte now and then until there is an answer."""
    while not select.select([connection], [], [], interval_s)[0]:
        connection.send(b"\x00")
    return one_answer(connection)


def begin_upload(url: str) -> socket.socket:
    connection = connected(url)
    part = b'--B\r\nContent-Disposition: form-data; name="videos"; filename="a.mp4"\r\n\r\n' + MP4
    connection.sendall(head(url, *UPLOAD_HEADERS) + part)
    return connection


@pytest.mark.parametrize(
    "bounds", [{"upload_window_s": 0.5, "upload_min_bytes_per_s": 10_000}, {"upload_timeout_s": 0.5}]
)
def test_a_body_that_drips_is_given_up(tmp_path: Path, bounds: dict[str, Any]) -> None:
    bench = Bench(tmp_path, max_file_bytes=BODY_BYTES, **bounds)
    with listening(bench.app) as url, begin_upload(url) as connection:
        answer = drip(connection, 0.05)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"UPLOAD_TOO_SLOW" in answer
    assert not bench.left_behind()


def test_slow_clients_of_one_address_leave_places_for_others(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_concurrent_uploads": 4, "max_uploads_per_client": 2}
    bench = Bench(tmp_path, max_file_bytes=BODY_BYTES, trusted_proxies=("127.0.0.1",), **limits)
    with listening(bench.app) as url:
        slow = [begin_upload(url) for _ in range(2)]
        deadline_s = time.monotonic() + 60
        while len(list(bench.spool_dir.glob("*/1"))) < 2:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        third = httpx.post(f"{url}/upload", files=videos(MP4), data=form("?"))
        other = httpx.post(
            f"{url}/upload", files=videos(MP4), data=form("?"), headers={"X-Forwarded-For": "10.0.0.9"}
        )
        for connection in slow:
            connection.close()

    assert (third.status_code, third.json()["code"]) == (429, "UPLOADS_OF_CLIENT_FULL")
    assert other.status_code == 200


def test_a_websocket_that_has_ended_leaves_nothing_behind(bench: Bench) -> None:
    server = uvicorn.Server(server_config(bench.app, bench.settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started)
        address = f"ws://127.0.0.1:{listener.getsockname()[1]}/ws/{'0' * 32}"

        with pytest.raises(InvalidStatus):
            connect(address, origin=Origin("https://evil.example"))
        with connect(address) as channel:
            assert "SESSION_NOT_FOUND" in str(channel.recv(timeout=30))

        # What stays here is kept for good, and a stop waits for it as long as it may.
        wait_until(lambda: not server.server_state.connections)
        server.should_exit = True
        thread.join(30)


def wait_until(reached: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
