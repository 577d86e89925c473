"""The orchestrator dies (kill -9) or is stopped in mid-session: after a restart the session finishes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import jsonschema
import pytest

from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from tests.fakes.recording import make_recording
from tests.folders import ROOT

pytestmark = pytest.mark.e2e


SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())
COMPLETED, FAILED = orchestrator_pb2.SESSION_STATE_COMPLETED, orchestrator_pb2.SESSION_STATE_FAILED
STAGE_SECONDS = 1.5
LONG_STAGE_SECONDS = 20.0
START_TIMEOUT_S = 60
SESSION_TIMEOUT_S = 90


@contextmanager
def process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"} | variables
    child = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


@contextmanager
def orchestrator(folder: Path, stages: str, port: int, **changes: str) -> Iterator[subprocess.Popen[str]]:
    names = ("TRANSCRIBER", "TRANSLATOR", "ASSESSOR", "VISION", "SPEAKER")
    variables = {f"ORCHESTRATOR_{name}_ADDRESS": stages for name in names} | {
        "ORCHESTRATOR_PORT": str(port),
        "ORCHESTRATOR_STORE_URL": (folder / "store").as_uri(),
        "ORCHESTRATOR_DATABASE_URL": f"sqlite:///{folder / 'state.sqlite'}",
        "ORCHESTRATOR_QUEUE_POLL_S": "0.1",
        "ORCHESTRATOR_LOG_LEVEL": "WARNING",
        "ORCHESTRATOR_DRAIN_TIMEOUT_S": "2",
    }
    with process("-m", "orchestrator", **(variables | changes)) as child:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(START_TIMEOUT_S)
        yield child


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_line(counts: Path, line: str) -> None:
    deadline_s = time.monotonic() + SESSION_TIMEOUT_S
    while not counts.exists() or line not in counts.read_text().splitlines():
        assert time.monotonic() < deadline_s, f"{line} never came"
        time.sleep(0.05)


def a_request(folder: Path, answer_count: int) -> orchestrator_pb2.CreateSessionRequest:
    session_id = uuid.uuid4().hex
    media = folder / "store" / "sessions" / session_id / "media"
    media.mkdir(parents=True)
    answers = [
        orchestrator_pb2.AnswerInput(
            uri=make_recording(media / f"{place}.mp4", seconds=1.0).as_uri(), question=str(place)
        )
        for place in range(1, answer_count + 1)
    ]
    return orchestrator_pb2.CreateSessionRequest(session_id=session_id, answers=answers)


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
            # A stage counts as finished once its output is in the store.
            time.sleep(0.5)
            finished = [line[1:] for line in counts.read_text().splitlines() if line.startswith("-")]
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
