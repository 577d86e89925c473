"""The disk of the state's database is full for a while: a real one, a small memory disk."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.audit_chain import hash_of_session
from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from tests.e2e.orchestrator_process import (
    a_request,
    free_port,
    orchestrator,
    process,
    wait_for_line,
)

pytestmark = pytest.mark.e2e

COMPLETED = orchestrator_pb2.SESSION_STATE_COMPLETED
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
DISK = ("-t", "tmpfs", "-o", "size=4m", "tmpfs")
FULL_S = 5.0
WAKE_TIMEOUT_S = 180
"""The engine's pause between two tries doubles up to a minute, and half as much again."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", *DISK, str(folder)], check=False, capture_output=True).returncode != 0:
        pytest.skip("a memory disk can't be mounted here: it takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for block_bytes in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * block_bytes) == block_bytes:
                    pass
            except OSError:
                continue
    return filler


def until_health_is(channel: grpc.Channel, status: Any) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    deadline_s = time.monotonic() + WAKE_TIMEOUT_S
    while stub.Check(health_pb2.HealthCheckRequest(), timeout=30).status != status:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def test_a_session_outlasts_a_full_disk_without_a_restart(tmp_path: Path, disk: Path) -> None:
    counts, port, request = tmp_path / "counts", free_port(), a_request(tmp_path, 2)
    database = {"ORCHESTRATOR_DATABASE_URL": f"sqlite:///{disk / 'state.sqlite'}"}
    with process("-m", "tests.fakes.servers", str(counts), "1.5") as fakes:
        assert fakes.stdout is not None
        stages = json.loads(fakes.stdout.readline())["address"]
        with (
            orchestrator(tmp_path, stages, port, **database),
            grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
            stub.CreateSession(request, timeout=30)
            wait_for_line(counts, "+transcribe 1")
            filler = fill(disk)
            until_health_is(channel, NOT_SERVING)
            with pytest.raises(grpc.RpcError) as refused:
                stub.CreateSession(a_request(tmp_path, 1), timeout=30)
            time.sleep(FULL_S)
            filler.unlink()
            until_health_is(channel, SERVING)
            watched = orchestrator_pb2.WatchSessionRequest(session_id=request.session_id)
            events = list(stub.WatchSession(watched, timeout=WAKE_TIMEOUT_S))

    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    with closing(sqlite3.connect(disk / "state.sqlite")) as state:
        records = [json.loads(record) for (record,) in state.execute("SELECT record FROM orch_audit")]
    assert {record["session"] for record in records} == {hash_of_session(request.session_id)}
    assert events[-1].session.state == COMPLETED
    begun = [line for line in counts.read_text().splitlines() if line.startswith("+")]
    assert len(begun) == len(set(begun)), "a stage was run again"
