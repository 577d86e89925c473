"""The benchmark's proxy counts what a model's server says of itself, and hands everything on unchanged."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from benchmarks.session.counting_proxy import Call, CountingProxy, added_up, counted

TIMINGS = {"prompt_n": 30, "prompt_ms": 1200.0, "cache_n": 700, "predicted_n": 8, "predicted_ms": 800.0}
USAGE = {"prompt_tokens": 730, "completion_tokens": 8}


def reply(**document: Any) -> bytes:
    return json.dumps(document).encode()


def events(*documents: Any) -> bytes:
    lines = [f"data: {json.dumps(document)}\n\n".encode() for document in documents]
    return b"".join([*lines, b"data: [DONE]\n\n"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (reply(timings=TIMINGS, usage=USAGE), Call("assessor", 9.0, 30, 8, 2.0)),
        (reply(usage=USAGE), Call("assessor", 9.0, 730, 8, 9.0)),
        (
            reply(usage=USAGE | {"prompt_tokens_details": {"cached_tokens": 700}}),
            Call("assessor", 9.0, 30, 8, 9.0),
        ),
        (reply(usage=USAGE | {"prompt_tokens_details": None}), Call("assessor", 9.0, 730, 8, 9.0)),
        (events({"choices": []}, {"timings": TIMINGS}), Call("assessor", 9.0, 30, 8, 2.0)),
        (events({"usage": USAGE}, {"usage": USAGE, "timings": TIMINGS}), Call("assessor", 9.0, 30, 8, 2.0)),
        (
            json.dumps([{"timings": TIMINGS}, {"timings": TIMINGS}]).encode(),
            Call("assessor", 9.0, 60, 16, 4.0),
        ),
        (reply(data=[{"id": "a-model"}]), None),
        (reply(usage=None), None),
        (events({"choices": []}), None),
        (b"no JSON", None),
        (b"", None),
    ],
)
def test_tokens_are_those_that_the_server_says_it_read_and_wrote(body: bytes, expected: Call | None) -> None:
    assert counted("assessor", body, 9.0) == expected


def test_calls_are_added_up() -> None:
    total = added_up([Call("a", 1.0, 30, 8, 2.0), Call("b", 2.0, 5, 1, 0.5)])

    assert (total.count, total.tokens_read, total.tokens_written, total.model_s) == (2, 35, 9, 2.5)


class FakeUpstream:
    """A model's server that answers every request alike and remembers what it was asked."""

    def __init__(self, status: int, body: bytes) -> None:
        self.asked: list[tuple[str, bytes]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                fake.asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Of-The-Server", "kept")
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def proxy() -> Iterator[CountingProxy]:
    with CountingProxy() as proxy:
        yield proxy


def posted(proxy: CountingProxy, path: str) -> httpx.Response:
    return httpx.post(f"{proxy.url}{path}", content=b'{"messages": []}', trust_env=False, timeout=30)


def test_it_hands_on_what_was_asked_and_replied_and_notes_who_asked(proxy: CountingProxy) -> None:
    body = reply(timings=TIMINGS)
    upstream = FakeUpstream(200, body)
    proxy.target = upstream.url

    found = posted(proxy, "/translator/v1/chat/completions")
    upstream.close()

    assert upstream.asked == [("/v1/chat/completions", b'{"messages": []}')]
    assert (found.status_code, found.content, found.headers["X-Of-The-Server"]) == (200, body, "kept")
    (call,) = proxy.taken()
    assert (call.who, call.tokens_read, call.tokens_written, call.model_s) == ("translator", 30, 8, 2.0)
    assert call.wall_s > 0
    assert proxy.taken() == []


def test_a_refusal_is_handed_on_and_is_no_call(proxy: CountingProxy) -> None:
    upstream = FakeUpstream(400, reply(error={"message": "too long"}))
    proxy.target = upstream.url

    assert posted(proxy, "/assessor/v1/chat/completions").status_code == 400
    upstream.close()

    assert proxy.taken() == []


def test_before_the_model_is_there_it_is_unavailable(proxy: CountingProxy) -> None:
    assert posted(proxy, "/assessor/v1/chat/completions").status_code == 503
