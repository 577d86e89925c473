"""A model hub of the tests: one file, on a real socket, that serves ranges as the real one does."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from chassis.models import CatalogueEntry, ModelFile, folder_of
from cli.fetching.lease import LeaseTimes

REVISION = "0" * 40
CONTENT = bytes(range(256)) * 4096
QUICK = LeaseTimes(beat_s=0.02, stale_after_s=0.5, longest_wait_s=30.0, poll_s=0.01)


@dataclass
class Hub:
    """What the hub has, and what it was asked."""

    content: bytes
    etag: str = '"first"'
    commit: str = REVISION
    cuts_bytes: list[int] = field(default_factory=list)
    """After so many bytes the next replies break off."""
    hold: threading.Event | None = None
    """Replies stand still in their middle until this is set."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request."""
    statuses: list[int] = field(default_factory=list)
    address: str = ""

    @property
    def ranges(self) -> list[str]:
        return [headers.get("Range", "") for headers in self.asked]


def entry_with(content: bytes, *, pinned: bool = True, name: str = "model") -> CatalogueEntry:
    """Return a catalogue entry of one file that the hub has."""
    sha256 = hashlib.sha256(content).hexdigest() if pinned else ""
    file = ModelFile("model.bin", len(content) if pinned else 0, sha256, hub_path="model.bin")
    return CatalogueEntry(name, "1", "MIT", "for tests", (file,), hub_repo="we/model", hub_revision=REVISION)


def model_file(entry: CatalogueEntry, models_dir: Path) -> Path:
    return folder_of(entry, models_dir) / "model.bin"


def begun(entry: CatalogueEntry, models_dir: Path, content: bytes, etag: str) -> Path:
    """What a loader left that died in the middle."""
    folder = folder_of(entry, models_dir)
    folder.mkdir(parents=True)
    partial = folder / ".model.bin.dead.partial"
    partial.write_bytes(content)
    (folder / ".model.bin.dead.partial.etag").write_text(etag)
    return partial


def left_over(entry: CatalogueEntry, models_dir: Path) -> list[str]:
    names = {path.name for path in folder_of(entry, models_dir).iterdir()}
    return sorted(names - {"model.bin", "model.bin.stamp", "model.bin.sha256"})


class HubServer(ThreadingHTTPServer):
    """The hub on a free port of this machine."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        hub.address = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        hub = self.server.hub
        hub.asked.append(dict(self.headers))
        begin = self._begin()
        status = 416 if begin >= len(hub.content) else 206 if begin else 200
        hub.statuses.append(status)
        body = b"" if status == 416 else hub.content[begin:]
        self.send_response(status)
        self.send_header("ETag", hub.etag)
        self.send_header("X-Repo-Commit", hub.commit)
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{len(hub.content) - 1}/{len(hub.content)}")
        if status == 416:
            self.send_header("Content-Range", f"bytes */{len(hub.content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._write(body)

    def _begin(self) -> int:
        hub = self.server.hub
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(wanted[1]) if wanted and self.headers.get("If-Range", hub.etag) == hub.etag else 0

    def _write(self, body: bytes) -> None:
        hub = self.server.hub
        if hub.cuts_bytes:
            body = body[: hub.cuts_bytes.pop(0)]
            self.close_connection = True
        if hub.hold is not None:
            self.wfile.write(body[:1])
            self.wfile.flush()
            hub.hold.wait(60)
            body = body[1:]
        with suppress(OSError):  # The caller was killed.
            self.wfile.write(body)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve until the block ends."""
    server = HubServer(hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        if hub.hold is not None:
            hub.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
