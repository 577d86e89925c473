"""Gateway and orchestrator are killed (-9) while a recording arrives and is worked on."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.orchestrator_process import SESSION_TIMEOUT_S, free_port, orchestrator, process
from tests.fakes.recording import make_recording
from tests.folders import files_below
from tests.slow_sending import send_slowly

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SEND_S = 12.0
STAGE_S = "4"
"""How long each stage takes, so that it is at work when something dies."""
EARLY = {"ORCHESTRATOR_SWEEP_INTERVAL_S": "1", "ORCHESTRATOR_ORPHAN_S": "5"}


@contextmanager
def gateway(folder: Path, orchestrator_port: int, port: int) -> Iterator[subprocess.Popen[str]]:
    variables = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_STORE_URL": (folder / "store").as_uri(),
        "GATEWAY_SPOOL_DIR": str(folder / "spool"),
        "GATEWAY_ORCHESTRATOR_ADDRESS": f"127.0.0.1:{orchestrator_port}",
        "GATEWAY_RATE_LIMIT_UPLOADS": "",
        "GATEWAY_EARLY_AFTER_S": "0.5",
    }
    with process("-m", "gateway", **variables) as child:
        wait_for(lambda: answers(port))
        yield child


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def wait_for(condition: Callable[[], object], timeout_s: float = SESSION_TIMEOUT_S) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.1)


def arriving(folder: Path) -> list[Path]:
    return files_below(folder / "store" / "arriving")


def completed(port: int, session_id: str) -> bool:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        return bool(http.get(f"/status/{session_id}").json()["status"] == "completed")


@contextmanager
def sending(port: int, recording: Path, key: str) -> Iterator[Future[str]]:
    with (
        ThreadPoolExecutor(1) as threads,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        yield threads.submit(send_slowly, http, recording, SEND_S, headers={"Idempotency-Key": key})


@contextmanager
def stages(folder: Path) -> Iterator[str]:
    with process("-m", "tests.fakes.servers", str(folder / "counts"), STAGE_S) as fakes:
        assert fakes.stdout is not None
        yield str(json.loads(fakes.stdout.readline())["address"])


def test_an_orchestrator_that_is_killed_during_an_upload_loses_nothing(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "a.mp4", seconds=60.0, index_first=True)
    port, door = free_port(), free_port()
    with (
        stages(tmp_path) as address,
        orchestrator(tmp_path, address, port, **EARLY) as first,
        gateway(tmp_path, port, door),
        sending(door, recording, uuid.uuid4().hex) as upload,
    ):
        wait_for(lambda: "+vision " in counts(tmp_path))  # Without a URI: early.
        first.kill()
        first.wait()
        with orchestrator(tmp_path, address, port, **EARLY):
            session_id = upload.result()
            wait_for(lambda: completed(door, session_id))
            wait_for(lambda: not arriving(tmp_path))


def test_a_gateway_that_is_killed_during_an_upload_leaves_nothing_and_a_repeat_is_accepted(
    tmp_path: Path,
) -> None:
    recording = make_recording(tmp_path / "a.mp4", seconds=60.0, index_first=True)
    port, door, key = free_port(), free_port(), uuid.uuid4().hex
    with stages(tmp_path) as address, orchestrator(tmp_path, address, port, **EARLY):
        with gateway(tmp_path, port, door) as first, sending(door, recording, key) as upload:
            wait_for(lambda: arriving(tmp_path))
            first.kill()
            with pytest.raises(httpx.HTTPError):
                upload.result()
        wait_for(lambda: not arriving(tmp_path))
        assert files_below(tmp_path / "store" / "sessions") == []
        with gateway(tmp_path, port, door), sending(door, recording, key) as upload:
            session_id = upload.result()
            wait_for(lambda: completed(door, session_id))


def counts(folder: Path) -> list[str]:
    path = folder / "counts"
    return path.read_text().splitlines() if path.exists() else []
