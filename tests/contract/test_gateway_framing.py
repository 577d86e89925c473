"""Where a request begins and ends, and what is answered before its body, over real sockets."""

from __future__ import annotations

import select
import socket
from pathlib import Path

import pytest

from tests.gateway_bench import Bench, listening, one_answer

OVER_64_KB = 70_000
QUIET_S = 0.5
"""What the gateway says of itself, it says within this time."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, max_file_bytes=1_000_000)


def asked(url: str, request: bytes) -> tuple[bytes, bytes]:
    """Send a request. Return the whole answer to it, and what came after that."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        first = one_answer(connection)
        after = b""
        while select.select([connection], [], [], QUIET_S)[0] and (block := connection.recv(65_536)):
            after += block
        return first, after


def upload(*headers: bytes) -> bytes:
    lines = [
        b"POST /upload HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Content-Type: multipart/form-data; boundary=B",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@pytest.mark.parametrize("path", [b"/upload", b"/upload_json", b"/sessions/%b/reassess" % (b"0" * 32)])
def test_who_waits_to_be_told_to_send_too_much_is_refused_instead(bench: Bench, path: bytes) -> None:
    request = upload(b"Expect: 100-continue", b"Content-Length: 900000000")
    with listening(bench.app) as url:
        answer, after = asked(url, request.replace(b"/upload", path, 1))

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"UPLOAD_TOO_LARGE" in answer
    assert b"100 Continue" not in after


def test_no_refusal_asks_for_the_body_first(bench: Bench) -> None:
    request = upload(b"Expect: 100-continue", b"Content-Length: 1000")
    with listening(bench.app) as url:
        answer, after = asked(url, request.replace(b"/upload", b"/nowhere", 1))

    assert answer.startswith(b"HTTP/1.1 404")
    assert b"100 Continue" not in answer + after


def test_who_waits_to_be_told_to_send_what_is_wanted_is_told(bench: Bench) -> None:
    with listening(bench.app) as url:
        answer, _ = asked(url, upload(b"Expect: 100-continue", b"Content-Length: 1000"))

    assert answer.startswith(b"HTTP/1.1 100")


@pytest.mark.parametrize(
    "headers",
    [
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        (b"transfer-encoding: Chunked", b"content-length: 0"),
    ],
)
def test_two_ways_to_say_where_a_body_ends_are_refused(bench: Bench, headers: tuple[bytes, ...]) -> None:
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with listening(bench.app) as url:
        answer, after = asked(url, upload(*headers) + smuggled)

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"LENGTH_AMBIGUOUS" in answer
    assert not after, "the connection ends with a refusal"


def test_chunks_in_http_1_0_are_refused(bench: Bench) -> None:
    request = upload(b"Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with listening(bench.app) as url:
        answer, _ = asked(url, request + b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"LENGTH_AMBIGUOUS" in answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Large: %b\r\n\r\n",
        b"GET /healthz?%b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-%b: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Folded: a\r\n %b\r\n\r\n",
    ],
    ids=["a header", "an address", "a name", "a folded line"],
)
def test_a_head_over_64_kb_is_refused_though_it_comes_at_once(bench: Bench, request_bytes: bytes) -> None:
    with listening(bench.app) as url:
        answer, _ = asked(url, request_bytes % (b"a" * OVER_64_KB))

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"HTTP_INVALID" in answer
    assert b"64 KB" in answer


def test_a_small_head_with_much_body_behind_it_is_read(bench: Bench) -> None:
    body = b"x" * OVER_64_KB
    with listening(bench.app) as url:
        answer, _ = asked(url, upload(b"Content-Length: %d" % len(body)) + body)

    assert b"MULTIPART_INVALID" in answer
