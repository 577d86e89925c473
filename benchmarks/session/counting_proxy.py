"""A proxy in front of a language model that counts calls, tokens and the model's own seconds.

Who asks is the first part of the path: `/assessor/v1/...`. The figures are the server's own: `timings` where
it is llama.cpp (tokens from its cache are not in `prompt_n`), else `usage`. So every build is counted alike.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

UPSTREAM_TIMEOUT_S = 1800.0
CHUNK_BYTES = 1 << 16
MS_PER_S = 1000.0
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "accept-encoding", "host"})
DATA = b"data:"


@dataclass(frozen=True)
class Call:
    """One call of the model."""

    who: str
    wall_s: float
    tokens_read: int
    """Of the prompt, without those that were in the cache."""
    tokens_written: int
    model_s: float
    """Reading and writing, by the server's own clock. The wall time where it does not say."""


@dataclass(frozen=True)
class Calls:
    """Some calls, added up."""

    count: int
    tokens_read: int
    tokens_written: int
    model_s: float


def added_up(calls: Iterable[Call]) -> Calls:
    """Add calls up."""
    kept = list(calls)
    return Calls(
        len(kept),
        sum(call.tokens_read for call in kept),
        sum(call.tokens_written for call in kept),
        sum(call.model_s for call in kept),
    )


def counted(who: str, reply: bytes, wall_s: float) -> Call | None:
    """Read a reply's figures. None where it has none, such as a list of models."""
    found = [one for one in _documents(reply) if "timings" in one or one.get("usage")]
    if not found:
        return None
    parts = [_figures(one) for one in found]
    read, written, model_s = (sum(column) for column in zip(*parts, strict=True))
    return Call(who, wall_s, int(read), int(written), model_s or wall_s)


def _figures(document: dict[str, Any]) -> tuple[float, float, float]:
    timings = document.get("timings")
    if timings:
        model_ms = float(timings.get("prompt_ms", 0.0)) + float(timings.get("predicted_ms", 0.0))
        return float(timings.get("prompt_n", 0)), float(timings.get("predicted_n", 0)), model_ms / MS_PER_S
    usage = document["usage"]
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return usage.get("prompt_tokens", 0) - cached, usage.get("completion_tokens", 0), 0.0


def _documents(reply: bytes) -> Iterator[dict[str, Any]]:
    if reply.lstrip().startswith(DATA):
        events = [line[len(DATA) :] for line in reply.splitlines() if line.startswith(DATA)]
        # A stream says its figures once, in one of its last events.
        yield from [
            one for event in events for one in _parsed(event) if one.get("usage") or "timings" in one
        ][-1:]
        return
    yield from _parsed(reply)


def _parsed(text: bytes) -> Sequence[dict[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError:
        return []
    return [one for one in (document if isinstance(document, list) else [document]) if isinstance(one, dict)]


class CountingProxy:
    """Listens on this machine during its block."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        self.target = ""
        """Where the model's server is. May be set later than the proxy starts."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def taken(self) -> list[Call]:
        """Return the calls since the last time."""
        with self._lock:
            calls, self._calls = self._calls, []
        return calls

    def __enter__(self) -> CountingProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _note(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.pass_on(self)

            def do_POST(self) -> None:
                proxy.pass_on(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's word
                pass

        return Handler

    def pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        """Ask the model's server what was asked here, and hand its bytes on as they come."""
        _, who, path = asked.path.split("/", 2)
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        place = urlsplit(self.target)
        if place.hostname is None:
            asked.send_error(http.client.SERVICE_UNAVAILABLE)
            return
        begin_s = time.monotonic()
        upstream = http.client.HTTPConnection(place.hostname, place.port, timeout=UPSTREAM_TIMEOUT_S)
        headers = {key: value for key, value in asked.headers.items() if key.lower() not in HOP_BY_HOP}
        # Whoever leaves before the end closes the server's connection too, so that it stops writing.
        with contextlib.closing(upstream), contextlib.suppress(OSError):
            upstream.request(asked.command, f"/{path}", body or None, headers)
            reply = upstream.getresponse()
            asked.send_response(reply.status)
            for key, value in reply.getheaders():
                # Without a length the reply ends with its connection, and by then the call is noted.
                if key.lower() not in HOP_BY_HOP | {"content-length"}:
                    asked.send_header(key, value)
            asked.send_header("Connection", "close")
            asked.end_headers()
            kept = bytearray()
            while chunk := reply.read1(CHUNK_BYTES):
                kept += chunk
                asked.wfile.write(chunk)
                asked.wfile.flush()
            call = counted(who, bytes(kept), time.monotonic() - begin_s)
            if call is not None:
                self._note(call)
