"""CPU time and memory of the gateway's web server: ours on h11, and uvicorn's on h11 and on httptools.

The server runs in a process of its own, whose CPU time is read at its end: that hangs less on what else the
machine does than time does. The orchestrator accepts everything, and the store is a folder.
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import resource
import socket
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import httpx
import uvicorn
from rich.console import Console
from rich.table import Table

from benchmarks.gateway.accepting import Accepting
from benchmarks.resident import resident_mib
from chassis.store import MediaStore
from gateway.app import create_app
from gateway.server import server_config
from gateway.settings import GatewaySettings

ROUNDS = 2
REQUEST_COUNT = 4_000
CONNECTION_COUNT = 8
UPLOAD_COUNT = 2
UPLOAD_BYTES = 100_000_000
MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 500
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SERVERS = ("ours on h11", "uvicorn on h11", "uvicorn on httptools")

Work = Callable[[int], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Cost:
    """Of a server process, from its start to its end."""

    cpu_s: float
    peak_rss_mib: float


class ToldServer(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        await super().startup(sockets)
        self.up.set()


def serve(kind: str, folder: str, port: Connection, changes: Mapping[str, Any]) -> None:
    """Serve until the other end of the pipe says so, then send what it cost."""
    logging.disable(logging.CRITICAL)
    fields: dict[str, Any] = {
        "port": 0,
        "store_url": (Path(folder) / "store").as_uri(),
        "spool_dir": Path(folder) / "spool",
        "rate_limit_uploads": "",
    }
    settings = GatewaySettings(**(fields | dict(changes)))
    app = create_app(settings, cast("Any", Accepting()), MediaStore(settings.store_url))
    config = server_config(app, settings)
    if kind != SERVERS[0]:
        config.http = "httptools" if kind.endswith("httptools") else "h11"
    server = ToldServer(config)

    async def until_told() -> None:
        serving = asyncio.create_task(server.serve())
        await server.up.wait()
        port.send(server.servers[0].sockets[0].getsockname()[1])
        await asyncio.to_thread(port.recv)
        server.should_exit = True
        await serving

    asyncio.run(until_told())
    used = resource.getrusage(resource.RUSAGE_SELF)
    # The peak of `getrusage` counts the process that this one was made from as well.
    port.send(Cost(used.ru_utime + used.ru_stime, resident_mib("VmHWM")))


def cost_of(kind: str, work: Work, changes: Mapping[str, Any] = MappingProxyType({})) -> Cost:
    """Return what a server costs that does some work, its start included.

    Args:
        kind: One of `SERVERS`.
        work: Is done on its port.
        changes: Settings that differ.
    """
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(kind, folder, theirs, dict(changes)))
        process.start()
        try:
            asyncio.run(work(ours.recv()))
            ours.send(None)
            cost: Cost = ours.recv()
        except BaseException:
            process.kill()  # Else whoever sees work fail waits for a server that nobody ends.
            raise
        finally:
            process.join()
    return cost


async def nothing(_port: int) -> None:
    """Do nothing: what remains is the price of starting."""


async def short_requests(port: int) -> None:
    """Ask for health, many times over some connections that stay open."""

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(REQUEST_COUNT // CONNECTION_COUNT):
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(ask() for _ in range(CONNECTION_COUNT)))


async def uploads(port: int) -> None:
    """Send large recordings, one after another."""
    recording = MP4 + b"\x00" * (UPLOAD_BYTES - len(MP4))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=300) as http:
        for _ in range(UPLOAD_COUNT):
            files = [("videos", ("answer.mp4", recording, "video/mp4"))]
            reply = await http.post("/upload", files=files, data={"questions": "Why?", "language": "en"})
            reply.raise_for_status()


def measure(kind: str) -> dict[str, float]:
    """Return the figures of one server: the least of some rounds."""
    start_s = min(cost_of(kind, nothing).cpu_s for _ in range(ROUNDS))
    asked_s = min(cost_of(kind, short_requests).cpu_s for _ in range(ROUNDS))
    sent = [cost_of(kind, uploads) for _ in range(ROUNDS)]
    return {
        "request_cpu_ms": 1000 * (asked_s - start_s) / REQUEST_COUNT,
        "upload_cpu_s_per_gb": (min(cost.cpu_s for cost in sent) - start_s)
        * 1e9
        / (UPLOAD_COUNT * UPLOAD_BYTES),
        "peak_rss_mib": max(cost.peak_rss_mib for cost in sent),
    }


def main() -> None:
    """Measure and print."""
    socket.setdefaulttimeout(60)
    found = {kind: measure(kind) for kind in SERVERS}
    table = Table("server", "CPU-ms a request", "CPU-s a GB of upload", "peak memory, MiB")
    for kind, figures in found.items():
        table.add_row(
            kind,
            f"{figures['request_cpu_ms']:.3f}",
            f"{figures['upload_cpu_s_per_gb']:.2f}",
            f"{figures['peak_rss_mib']:.0f}",
        )
    Console().print(table)
    print(json.dumps(found))
