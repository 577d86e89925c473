"""The gateway is killed while a recording arrives, and right after its answer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.databases import DATABASES, database
from tests.chaos.gateways import PATIENCE_S, body, gateway, upload
from tests.chaos.processes import Process, until
from tests.chaos.system import system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

ROUND_COUNT = 4


def cut_off(process: Process, recording: bytes, key: str) -> None:
    """Kill the gateway while half of a recording has arrived."""
    arrived = threading.Event()
    sender = threading.Thread(target=upload, args=(process, key, body(recording, arrived)), daemon=True)
    sender.start()
    assert arrived.wait(PATIENCE_S)
    time.sleep(0.3)
    process.kill()


@pytest.mark.parametrize("kind", DATABASES)
def test_a_gateway_that_is_killed_keeps_what_it_accepted_and_nothing_else(
    tmp_path: Path, row: Callable[[str], Row], kind: str, request: pytest.FixtureRequest
) -> None:
    url = database(kind, request)
    with system(tmp_path, row(f"{kind}: gateway killed during uploads and after answers"), url) as made:
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
