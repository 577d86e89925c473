"""The gateway is killed while a recording arrives, and right after its answer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.processes import Process, free_ports, until
from tests.chaos.system import System, system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

ROUND_COUNT = 4
PATIENCE_S = 60
BOUNDARY = "chaos"


def gateway(made: System) -> Process:
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
    return made.process("gateway", ["-m", "gateway"], port, variables)


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


def cut_off(process: Process, recording: bytes, key: str) -> None:
    """Kill the gateway while half of a recording has arrived."""
    arrived = threading.Event()
    sender = threading.Thread(target=upload, args=(process, key, body(recording, arrived)), daemon=True)
    sender.start()
    assert arrived.wait(PATIENCE_S)
    time.sleep(0.3)
    process.kill()


def test_a_gateway_that_is_killed_keeps_what_it_accepted_and_nothing_else(
    tmp_path: Path, row: Callable[[str], Row]
) -> None:
    with system(tmp_path, row("SQLite: gateway killed during uploads and after answers")) as made:
        made.orchestrator("local").up()
        process = gateway(made).up()
        recording = (tmp_path / "recording.mp4").read_bytes()
        for _ in range(ROUND_COUNT):
            key = uuid.uuid4().hex
            cut_off(process, recording, key)
            process.up()
            session_id = upload(process, key, body(recording))
            process.kill()  # Right after its answer.
            assert session_id is not None
            made.accepted.append(session_id)
            process.up()
            assert upload(process, key, body(recording)) == session_id
        made.account()
        until(lambda: not list((tmp_path / "spool").iterdir()), "what arrived in part stays in the spool")
