"""An orchestrator as a process of its own, on stages in another one, and what a test sends to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from interview.v1 import orchestrator_pb2
from tests.fakes.recording import make_recording
from tests.folders import ROOT

START_TIMEOUT_S = 120
SESSION_TIMEOUT_S = 180


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
