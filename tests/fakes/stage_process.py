"""The five services as one process of the real kind: health, drain, and word that a call has begun.

`python -m tests.fakes.stage_process COUNTS_FILE SECONDS PORT` writes one line a call to the counts file.
More arguments such as `host=127.0.0.2` are settings of the server.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chassis.server import serve, start_server
from chassis.settings import ServiceSettings
from tests.fakes.servers import FakeServers

PATIENCE_S = 60.0
SERVICE = "interview.v1.VisionService"


@asynccontextmanager
async def stage_process(
    counts: Path, seconds: float, port: int = 0, worker_count: int = 0, **settings_of_test: Any
) -> AsyncIterator[int]:
    """Serve the five in this process. Yields the port."""
    settings = ServiceSettings(port=port, reflection=False, **settings_of_test)
    server, _, port = await start_server(settings, SERVICE, FakeServers(counts, seconds, worker_count).add_to)
    try:
        yield port
    finally:
        await server.stop(None)


async def wait_for_port(port: int, host: str = "127.0.0.1") -> None:
    """Wait until something listens on a port of this machine."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def wait_for_calls(counts: Path, *stages: str) -> None:
    """Wait until a call of each of these stages has begun."""
    deadline_s = time.monotonic() + PATIENCE_S
    begun: set[str] = set()
    while not begun >= {f"+{stage}" for stage in stages}:
        assert time.monotonic() < deadline_s, begun
        time.sleep(0.02)
        begun = {line.split(" ")[0] for line in counts.read_text().splitlines()} if counts.exists() else set()


if __name__ == "__main__":
    counts_file, call_s, listening_port = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    told: dict[str, Any] = {"port": listening_port, "reflection": False, "drain_timeout_s": 1.0}
    told |= dict(argument.split("=") for argument in sys.argv[4:])
    asyncio.run(serve(ServiceSettings(**told), SERVICE, FakeServers(counts_file, call_s).add_to))
