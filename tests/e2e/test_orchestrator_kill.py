"""The orchestrator dies (kill -9) or is stopped in mid-session: after a restart the session finishes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import grpc
import jsonschema
import pytest

from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from tests.e2e.orchestrator_process import (
    SESSION_TIMEOUT_S,
    a_request,
    free_port,
    orchestrator,
    process,
    wait_for_line,
)
from tests.folders import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())
COMPLETED, FAILED = orchestrator_pb2.SESSION_STATE_COMPLETED, orchestrator_pb2.SESSION_STATE_FAILED
STAGE_SECONDS = 1.5
LONG_STAGE_SECONDS = 30.0
"""A second orchestrator starts in that time, also beside other work."""


def is_stored(folder: Path, session_id: str, call: str) -> bool:
    """Tell whether the output of a call (`transcribe 1`) is in the store."""
    stage, place = call.split()
    return any((folder / "store" / "sessions" / session_id / "outputs" / place).glob(f"{stage}-*.pb"))


@pytest.mark.parametrize(
    ("kill_at", "how"),
    [
        ("-transcribe 1", signal.SIGKILL),
        ("+assess 1", signal.SIGKILL),
        ("-speaker 2", signal.SIGKILL),
        ("-transcribe 1", signal.SIGTERM),
    ],
)
def test_a_stopped_orchestrator_finishes_its_session_and_repeats_no_finished_stage(
    tmp_path: Path, kill_at: str, how: signal.Signals
) -> None:
    counts = tmp_path / "counts"
    port = free_port()
    request = a_request(tmp_path, 2)
    with process("-m", "tests.fakes.servers", str(counts), str(STAGE_SECONDS)) as fakes:
        assert fakes.stdout is not None
        stages = json.loads(fakes.stdout.readline())["address"]
        with orchestrator(tmp_path, stages, port) as first:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
                stub.CreateSession(request, timeout=30)
            wait_for_line(counts, kill_at)
            finished = [line[1:] for line in counts.read_text().splitlines() if line.startswith("-")]
            # A stage counts as finished once its output is in the store.
            wait_until(lambda: all(is_stored(tmp_path, request.session_id, call) for call in finished))
            first.send_signal(how)
            first.wait()
        with (
            orchestrator(tmp_path, stages, port),
            grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
            watched = orchestrator_pb2.WatchSessionRequest(session_id=request.session_id)
            events = list(stub.WatchSession(watched, timeout=SESSION_TIMEOUT_S))
            asked = orchestrator_pb2.GetResultRequest(session_id=request.session_id)
            document = json.loads(stub.GetResult(asked, timeout=10).document)
    ratios = [event.session.done_ratio for event in events]
    begun = [line[1:] for line in counts.read_text().splitlines() if line.startswith("+")]

    assert events[-1].session.state == COMPLETED
    assert ratios == sorted(ratios), "what had ended before is shown as if it waited"
    jsonschema.validate(document, SCHEMA, jsonschema.Draft202012Validator)
    assert finished
    assert {call: begun.count(call) for call in finished} == dict.fromkeys(finished, 1)
    assert {call.split()[0] for call in begun} == {"transcribe", "translate", "assess", "vision", "speaker"}


def test_a_living_replica_takes_over_from_a_dead_one(tmp_path: Path, postgres_url: str) -> None:
    counts = tmp_path / "counts"
    ports = [free_port(), free_port()]
    settings = {
        "ORCHESTRATOR_DATABASE_URL": postgres_url,
        "ORCHESTRATOR_HEARTBEAT_INTERVAL_S": "0.5",
        "ORCHESTRATOR_DEAD_AFTER_S": "3",
    }
    request = a_request(tmp_path, 1)
    with process("-m", "tests.fakes.servers", str(counts), str(LONG_STAGE_SECONDS)) as fakes:
        assert fakes.stdout is not None
        stages = json.loads(fakes.stdout.readline())["address"]
        with orchestrator(tmp_path, stages, ports[0], ORCHESTRATOR_EXECUTOR_ID="a", **settings) as first:
            with grpc.insecure_channel(f"127.0.0.1:{ports[0]}") as channel:
                orchestrator_pb2_grpc.OrchestratorServiceStub(channel).CreateSession(request, timeout=30)
            wait_for_line(counts, "+transcribe 1")
            with orchestrator(tmp_path, stages, ports[1], ORCHESTRATOR_EXECUTOR_ID="b", **settings):
                assert "-transcribe 1" not in counts.read_text()
                first.send_signal(signal.SIGKILL)
                first.wait()
                with grpc.insecure_channel(f"127.0.0.1:{ports[1]}") as channel:
                    stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
                    watched = orchestrator_pb2.WatchSessionRequest(session_id=request.session_id)
                    events = list(stub.WatchSession(watched, timeout=SESSION_TIMEOUT_S))

    assert events[-1].session.state == COMPLETED
