"""The five services as one process of the real kind: health, drain, and word that a call has begun.

`python -m tests.fakes.stage_process COUNTS_FILE SECONDS PORT` writes one line a call to the counts file.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from chassis.server import serve, start_server
from chassis.settings import ServiceSettings
from tests.fakes.servers import FakeServers

PATIENCE_S = 60.0
SERVICE = "interview.v1.VisionService"


@asynccontextmanager
async def stage_process(counts: Path, seconds: float, port: int = 0) -> AsyncIterator[int]:
    """Serve the five in this process. Yields the port."""
    settings = ServiceSettings(port=port, reflection=False)
    server, _, port = await start_server(settings, SERVICE, FakeServers(counts, seconds).add_to)
    try:
        yield port
    finally:
        await server.stop(None)


async def wait_for_port(address: str) -> None:
    """Wait until something listens."""
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()


def wait_for_lines(counts: Path, count: int) -> None:
    """Wait until the file of the counts has so many lines."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not counts.exists() or len(counts.read_text().splitlines()) < count:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


if __name__ == "__main__":
    counts_file, call_s, listening_port = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    asyncio.run(
        serve(
            ServiceSettings(port=listening_port, reflection=False, drain_timeout_s=1.0),
            SERVICE,
            FakeServers(counts_file, call_s).add_to,
        )
    )
