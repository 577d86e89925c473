"""A server of links: one path hands a recording out at once, one drips it, one says nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

QUICK, DRIPPING, SILENT = "/quick.mp4", "/dripping.mp4", "/silent.mp4"
DRIP_S = 0.1


class LinkHost:
    """See the module.

    Args:
        recording: What it hands out.
    """

    def __init__(self, recording: bytes) -> None:
        self.asked: Counter[str] = Counter()
        """How often each path was asked for, with its query."""
        self._over = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked[self.path] += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(recording)))
                self.end_headers()
                host.hand_out(self.path.partition("?")[0], recording, self.wfile)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hand_out(self, path: str, recording: bytes, file: Any) -> None:
        """Send a recording as the path says."""
        if path == QUICK:
            file.write(recording)
            return
        try:
            for place in range(len(recording)):
                if path == DRIPPING:
                    file.write(recording[place : place + 1])
                    file.flush()
                if self._over.wait(DRIP_S):
                    return
        except OSError:  # The other side has given it up.
            return

    def close(self) -> None:
        """End what it still sends."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def link_host(recording: bytes) -> Iterator[LinkHost]:
    """Serve until the block ends."""
    host = LinkHost(recording)
    try:
        yield host
    finally:
        host.close()
