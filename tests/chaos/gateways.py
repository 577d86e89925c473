"""A gateway in front of a scenario's orchestrators, and uploads to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx

from tests.chaos.processes import Process, free_ports
from tests.chaos.system import System

PATIENCE_S = 300
BOUNDARY = "chaos"


def gateway(made: System, **changes: str) -> Process:
    """Return a gateway that is still to be started."""
    (port,) = free_ports(1)
    spool = made.folder / "spool"
    spool.mkdir(exist_ok=True)
    variables = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_STORE_URL": made.store.as_uri(),
        "GATEWAY_SPOOL_DIR": str(spool),
        "GATEWAY_ORCHESTRATOR_ADDRESS": made.orchestrators[0].address,
        "GATEWAY_RATE_LIMIT_UPLOADS": "",
    }
    return made.process("gateway", ["-m", "gateway"], port, variables | changes)


def body(recording: bytes, arrived: threading.Event | None = None) -> Iterator[bytes]:
    """Yield an upload's body. With `arrived`, most of it, and the rest never."""
    disposition = 'Content-Disposition: form-data; name="videos"; filename="a.mp4"'
    question = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="questions"\r\n\r\nWhy?\r\n'
    head = f"{question}--{BOUNDARY}\r\n{disposition}\r\nContent-Type: video/mp4\r\n\r\n"
    yield head.encode() + recording[: len(recording) // 2]
    if arrived is not None:
        arrived.set()
        time.sleep(PATIENCE_S)
    yield recording[len(recording) // 2 :]
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def upload(process: Process, key: str, content: Iterator[bytes]) -> str | None:
    """Upload a recording. Returns the session's id, or None where no answer came."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Idempotency-Key": key}
    try:
        reply = httpx.post(
            f"http://{process.address}/upload", content=content, headers=headers, timeout=PATIENCE_S
        )
    except httpx.HTTPError:
        return None
    assert reply.status_code == 200, reply.text
    return str(reply.json()["session_id"])
