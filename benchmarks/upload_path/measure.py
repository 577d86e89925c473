"""Which modules of ours an upload passes before the first stage works: a table, then one line of JSON.

Counted while it runs, and not by imports: a module counts if any of its code is called between
`POST /upload` and the call of the extraction. The gateway and the orchestrator are the real ones, in this
process, on SQLite and a folder. gRPC between them goes over a socket. HTTP does not, so the web server's own
code is not seen. The first upload is left out, because it also does what a process does once. Of the
others only what each of them passes is counted: a retry falls into one of them by chance.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from chassis.errors import InvalidInputError
from chassis.server import start_server
from chassis.store import MediaStore
from gateway.app import create_app
from gateway.orchestrator_client import OrchestratorClient
from gateway.settings import GatewaySettings
from interview.v1 import orchestrator_pb2
from orchestrator.composition import compose
from orchestrator.servicer import SERVICE_NAME
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.catalogue import settings_class
from orchestrator.stages.stage import OnProgress, Service

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("gateway", "orchestrator", "chassis")
TARGET_COUNT = 25
COUNTED_UPLOADS = 3
PATIENCE_S = 60.0
MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 5_000
"""What only looks like a recording: no stage reads it."""


class Passage:
    """Notes the modules of ours whose code is called while it is open, in all threads begun after `watch`."""

    def __init__(self) -> None:
        self.modules: dict[str, int] = {}
        """By module, in the order in which they were entered: how many calls."""
        self._open = False

    def watch(self) -> None:
        """Begin to see calls, in this thread and in those to come."""
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    def begin(self) -> None:
        """Begin to note."""
        self.modules, self._open = {}, True

    def end(self) -> None:
        """Stop noting."""
        self._open = False

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not self._open:
            return
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if parts[0] in ROOMS:
                name = ".".join(parts)
                self.modules[name] = self.modules.get(name, 0) + 1


async def measure(folder: Path) -> dict[str, int]:
    """Return the calls of each module of ours on the way of one upload.

    Args:
        folder: Where store, spool and database go.
    """
    passage, reached = Passage(), asyncio.Event()
    passage.watch()

    async def extract(_: object, __: OnProgress) -> orchestrator_pb2.Extraction:
        passage.end()
        reached.set()
        raise InvalidInputError("Nothing behind it is of interest.", reason="MEDIA_UNDECODABLE")

    async def nothing(_: object, __: OnProgress) -> tuple[str, ...]:
        return ()

    settings = _settings(folder)
    services: dict[str, Service] = {"extract": extract, "languages": nothing, "rubrics": nothing}
    servicer, engine = compose(settings, services=services)
    engine.start()
    server, _, port = await start_server(settings, SERVICE_NAME, servicer.add_to)
    client = OrchestratorClient(f"127.0.0.1:{port}", PATIENCE_S)
    gateway = GatewaySettings(store_url=settings.store_url, spool_dir=folder / "spool")
    app = create_app(gateway, client, MediaStore(gateway.store_url))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        async with asyncio.timeout(PATIENCE_S):
            passages = [await _passed(http, client, passage, reached) for _ in range(1 + COUNTED_UPLOADS)]
    sys.setprofile(None)
    await client.aclose()
    await server.stop(0)
    await asyncio.to_thread(engine.close)
    second, *others = passages[1:]
    return {name: count for name, count in second.items() if all(name in other for other in others)}


async def _passed(
    http: httpx.AsyncClient, client: OrchestratorClient, passage: Passage, reached: asyncio.Event
) -> dict[str, int]:
    reached.clear()
    passage.begin()
    session_id = await _upload(http)
    await reached.wait()
    async for _ in client.watch_session(session_id, None):
        pass  # What comes behind the extraction is over before the next upload.
    return passage.modules


async def _upload(http: httpx.AsyncClient) -> str:
    reply = await http.post(
        "/upload",
        files=[("videos", ("answer.mp4", MP4, "video/mp4"))],
        data={"questions": "What did you build?", "candidate_name": "A.", "language": "en"},
    )
    return str(reply.raise_for_status().json()["session_id"])


def _settings(folder: Path) -> OrchestratorSettings:
    fields: dict[str, Any] = {
        "port": 0,
        "store_url": (folder / "store").as_uri(),
        "database_url": f"sqlite:///{folder / 'state.sqlite'}",
        "queue_poll_s": 0.05,
    }
    return settings_class()(**fields)


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        called = asyncio.run(measure(Path(folder)))
    table = Table("#", "module", "calls", title="Modules that an upload passes before the first stage works")
    for number, (name, count) in enumerate(called.items(), start=1):
        table.add_row(str(number), name, str(count))
    Console().print(table)
    print(json.dumps({"module_count": len(called), "target_count": TARGET_COUNT, "modules": list(called)}))
