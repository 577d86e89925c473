"""A gateway with a fake orchestrator and temporary folders, and recordings that only look like some."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from chassis.api_keys import digest_of
from chassis.store import MediaStore
from gateway.app import create_app
from gateway.dependencies import Gateway
from gateway.server import server_config
from gateway.settings import ApiKey, GatewaySettings
from tests.fakes.orchestrator import FakeOrchestrator
from tests.folders import files_below

RECEIVE_BUFFER_BYTES = 1 << 20
MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 500
WEBM = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
    + b"\x00" * 500
)
AVI = b"RIFF\x00\x10\x00\x00AVI LIST" + b"\x00" * 500


def api_key(text: str, name: str = "team", **values: Any) -> ApiKey:
    """Return what the gateway is told of a key."""
    return ApiKey(name=name, sha256=digest_of(text), **values)


class Bench:
    """One gateway with its fakes and folders."""

    def __init__(self, folder: Path, orchestrator: FakeOrchestrator | None = None, **settings: Any) -> None:
        self.store_dir, self.spool_dir = folder / "store", folder / "spool"
        self.orchestrator = orchestrator or FakeOrchestrator()
        values: dict[str, Any] = {
            "rate_limit_uploads": "",
            "max_file_bytes": 10_000,
            "spool_dir": self.spool_dir,
            "session_id_secret": "s" * 32,
        } | settings
        self.settings = GatewaySettings(**values)
        self.store = MediaStore(self.store_dir.as_uri())
        self.app = create_app(self.settings, self.orchestrator, self.store)
        self.gateway: Gateway = self.app.state.gateway
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860")

    def left_behind(self) -> list[Path]:
        return files_below(self.store_dir) + files_below(self.spool_dir)


def videos(*contents: bytes, name: str = "answer.mp4", field: str = "videos") -> list[Any]:
    """Return the file parts of an upload, as httpx wants them."""
    return [(field, (name, content, "video/mp4")) for content in contents]


def form(*questions: str, **fields: str) -> dict[str, Any]:
    """Return the text parts of an upload."""
    return {"questions": list(questions), "candidate_name": "A. Candidate", "language": "en"} | fields


@contextmanager
def listening(app: FastAPI, **settings: Any) -> Iterator[str]:
    """Serve an application on this machine, as the gateway is served; yields its base URL.

    Args:
        app: The application.
        settings: Of the gateway. Without a port it is a free one.
    """
    server = uvicorn.Server(server_config(app, GatewaySettings(**{"port": 0, **settings})))
    listener = socket.socket()
    # Its connections buffer so much and no more. By itself a system may take 20 MB that nobody reads.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    listener.bind(("127.0.0.1", server.config.port))
    listener.listen(128)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def one_answer(connection: socket.socket) -> bytes:
    """Read one answer whole: a head, and as much body as it tells. They may come in two pieces."""
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0 or len(answer) < end + 4 + _body_bytes(answer[:end]):
        block = connection.recv(65_536)
        if not block:
            break
        answer += block
    return answer


def _body_bytes(head: bytes) -> int:
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0
