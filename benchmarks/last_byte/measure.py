"""Seconds from a recording's last byte to its result, with early work and without it, in one run.

The seven processes with their real models take one recording over HTTP, as slowly as a line of a given rate
sends it. First early work is switched off: that is how all sessions went before. Then it is on. The
recording, the machine and the models are the same. A short recording goes through first, so that nothing is
measured that a process does once.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.session.process_trees import tree_cpu_s
from benchmarks.session.recordings import demo_session, duration_s, long_session
from cli.demo_processes import base_environment, plan_demo
from cli.processes import Supervisor

TARGET_RATIO = 0.25
RATE = 1.5
"""How many times as fast as it is long the recording arrives."""
BLOCK_BYTES = 4096
POLL_S = 0.05
READY_TIMEOUT_S = 300.0
SESSION_TIMEOUT_S = 3600.0
BOUNDARY = "last-byte"
OFF, ON = "off", "on"
SETTINGS: Mapping[str, Mapping[str, str]] = {
    OFF: {"GATEWAY_EARLY_COUNT": "0", "ORCHESTRATOR_EARLY_COUNT": "0"},
    ON: {},
}


@dataclass(frozen=True)
class Taken:
    """One recording that was taken."""

    after_last_byte_s: float
    result: Mapping[str, Any]
    cpu_s: float
    """Of all processes, from the first byte on."""
    early_count: int
    """Stages whose early work was used."""

    @property
    def words(self) -> list[str]:
        """Return what was heard."""
        segments = [one for answer in self.result["results"] for one in answer["transcript"]["segments"]]
        return " ".join(segment["text"] for segment in segments).split()


class Sender:
    """Sends recordings to one gateway.

    Args:
        url: Of the gateway.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=SESSION_TIMEOUT_S, trust_env=False)
        self._sent_s = 0.0

    def take(self, recording: Path, seconds: float) -> tuple[float, dict[str, Any]]:
        """Send a recording in so many seconds. Returns the seconds from its last byte on, and the result."""
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        reply = self._http.post("/upload", content=self._body(recording, seconds), headers=headers)
        session_id = reply.raise_for_status().json()["session_id"]
        while True:
            state = self._http.get(f"/status/{session_id}").raise_for_status().json()["status"]
            if state in ("completed", "failed"):
                break
            time.sleep(POLL_S)
        after_s = time.monotonic() - self._sent_s
        if state == "failed":
            raise RuntimeError("the session failed: look at the logs")
        return after_s, self._http.get(f"/results/{session_id}").raise_for_status().json()

    def _body(self, recording: Path, seconds: float) -> Iterator[bytes]:
        for name, value in (("questions", "What did you build?"), ("language", "en")):
            yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        disposition = f'Content-Disposition: form-data; name="videos"; filename="{recording.name}"'
        yield f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode()
        data, begin_s = recording.read_bytes(), time.monotonic()
        for first in range(0, len(data), BLOCK_BYTES):
            time.sleep(max(0.0, begin_s + seconds * first / len(data) - time.monotonic()))
            yield data[first : first + BLOCK_BYTES]
        self._sent_s = time.monotonic()
        yield f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def running(folder: Path, changes: Mapping[str, str]) -> Iterator[str]:
    """Run the seven processes. Yields the gateway's address."""
    for name in ("store", "spool", "logs"):
        (folder / name).mkdir(parents=True)
    plan = plan_demo(folder, {}, local_llm=False)
    told = {"GATEWAY_RATE_LIMIT_UPLOADS": "", **changes}
    processes = [
        dataclasses.replace(
            one,
            environment={
                **one.environment,
                **{name: value for name, value in told.items() if name.startswith(one.name.upper())},
            },
        )
        for one in plan.processes
    ]
    with Supervisor(folder / "logs") as supervisor:
        supervisor.start(processes, base_environment(os.environ))
        supervisor.wait_ready(READY_TIMEOUT_S)
        yield plan.gateway_url
        supervisor.check_alive()


def index_first(source: Path, target: Path) -> Path:
    """Copy an MP4's packets into one with its index first."""
    with av.open(str(source)) as given, av.open(str(target), "w", options={"movflags": "faststart"}) as made:
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    return target


def measure(folder: Path, arm: str, recording: Path, seconds: float, *, warm: bool = True) -> Taken:
    """Take the recording once in one arm.

    Args:
        folder: Of the arm's store, database and logs.
        arm: `OFF` or `ON`.
        recording: What is sent.
        seconds: In how long.
        warm: Whether a short recording goes through first.
    """
    with running(folder, SETTINGS[arm]) as url:
        sender = Sender(url)
        if warm:
            sender.take(demo_session().folder / "answer-1.mp4", 0.0)
        before_cpu_s = tree_cpu_s(os.getpid())
        after_s, result = sender.take(recording, seconds)
        cpu_s = tree_cpu_s(os.getpid()) - before_cpu_s
        used = (folder / "logs" / "orchestrator.log").read_text(encoding="utf-8")
    return Taken(after_s, result, cpu_s, used.count("early work is used"))


def print_table(taken: Mapping[str, Taken], recording_s: float) -> None:
    """Print what came of each arm."""
    title = f"A recording of {recording_s:.0f} s that arrives {RATE:g} times as fast"
    table = Table(
        "early work", "last byte to result, s", "CPU, s", "stages begun early", "words", title=title
    )
    for arm, one in taken.items():
        row = (one.after_last_byte_s, one.cpu_s)
        table.add_row(arm, *(f"{value:.1f}" for value in row), str(one.early_count), str(len(one.words)))
    Console().print(table)


def figures(taken: Mapping[str, Taken]) -> dict[str, Any]:
    """Return the figures, and whether both arms heard the same words."""
    off, on = taken[OFF], taken[ON]
    return {
        "last_byte_ratio": round(on.after_last_byte_s / off.after_last_byte_s, 3),
        "target_ratio": TARGET_RATIO,
        "off_s": round(off.after_last_byte_s, 2),
        "on_s": round(on.after_last_byte_s, 2),
        "cpu_ratio": round(on.cpu_s / off.cpu_s, 3),
        "early_count": on.early_count,
        "words_equal": on.words == off.words,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="length of the recording")
    parser.add_argument("--cold", action="store_true", help="send no short recording first")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = long_session(folder / "made", options.seconds, 1)
        recording = index_first(session.folder / "answer-1.mp4", folder / "answer.mp4")
        recording_s = duration_s(recording)
        seconds, warm = recording_s / RATE, not options.cold
        taken = {arm: measure(folder / arm, arm, recording, seconds, warm=warm) for arm in (OFF, ON)}
    print_table(taken, recording_s)
    print(json.dumps(figures(taken)))
