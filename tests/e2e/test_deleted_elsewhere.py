"""A session is deleted through one replica while another works on it, lives, is frozen or is dead."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from tests.e2e.orchestrator_process import (
    SESSION_TIMEOUT_S,
    a_request,
    free_port,
    orchestrator,
    process,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SESSIONS_COUNT = 6
STAGE_SECONDS = 4.0
WRITTEN_S = 8.0
"""Within this time a stage that was not stopped would have written its output."""


@contextmanager
def stub_of(port: int) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield orchestrator_pb2_grpc.OrchestratorServiceStub(channel)


def left_in(store: Path) -> list[str]:
    return [str(path.relative_to(store)) for path in (store / "sessions").rglob("*") if path.is_file()]


def until_transcribing(counts: Path) -> None:
    deadline_s = time.monotonic() + SESSION_TIMEOUT_S
    while not counts.exists() or counts.read_text().count("+transcribe") < SESSIONS_COUNT:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.parametrize("owner", ["lives", "is frozen", "is dead"])
def test_what_another_replica_works_on_is_deleted_for_good(
    tmp_path: Path, postgres_url: str, owner: str
) -> None:
    counts, ports = tmp_path / "counts", [free_port(), free_port()]
    told = {"ORCHESTRATOR_DATABASE_URL": postgres_url, "ORCHESTRATOR_HEARTBEAT_INTERVAL_S": "0.5"}
    at_work = {"ORCHESTRATOR_EXECUTOR_ID": "a", "ORCHESTRATOR_SESSION_COUNT": str(SESSIONS_COUNT)}
    at_work |= {f"ORCHESTRATOR_{stage}_COUNT": str(SESSIONS_COUNT) for stage in ("EXTRACT", "TRANSCRIBE")}
    requests = [a_request(tmp_path, 1) for _ in range(SESSIONS_COUNT)]
    with process("-m", "tests.fakes.servers", str(counts), str(STAGE_SECONDS)) as fakes:
        assert fakes.stdout is not None
        stages = json.loads(fakes.stdout.readline())["address"]
        with orchestrator(tmp_path, stages, ports[0], **told, **at_work) as first:
            with stub_of(ports[0]) as stub:
                for request in requests:
                    stub.CreateSession(request, timeout=60)
            until_transcribing(counts)
            with (
                orchestrator(tmp_path, stages, ports[1], ORCHESTRATOR_EXECUTOR_ID="b", **told),
                stub_of(ports[1]) as stub,
            ):
                if owner != "lives":
                    first.send_signal(signal.SIGSTOP if owner == "is frozen" else signal.SIGKILL)
                deleting = [
                    stub.DeleteSession.future(
                        orchestrator_pb2.DeleteSessionRequest(session_id=request.session_id), timeout=60
                    )
                    for request in requests
                ]
                receipts = [call.result().receipt for call in deleting]
                if owner == "is frozen":
                    first.send_signal(signal.SIGCONT)
                time.sleep(WRITTEN_S)
                left = left_in(tmp_path / "store")
                with pytest.raises(grpc.RpcError) as gone:
                    stub.GetSession(
                        orchestrator_pb2.GetSessionRequest(session_id=requests[0].session_id), timeout=30
                    )

    assert left == []
    assert gone.value.code() == grpc.StatusCode.NOT_FOUND
    assert all("media" in {artifact.kind for artifact in receipt.artifacts} for receipt in receipts)
