"""The seven real processes with the real models, each of which a scenario may kill while it works."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import httpx
import pytest

from chassis.errors import PreconditionError
from chassis.models import locate
from chassis.settings import default_models_dir
from cli.demo_processes import base_environment, plan_demo
from tests.chaos.processes import MARK, Process, left_running, until
from tests.chaos.tally import Results, check_documents, orphans
from tests.tcp_proxy import Halt, Proxy

MODELS = ("whisper-base", "face-landmarker-full-range", "face-detector-full-range", "voice-encoder")
AT_WORK_S = 0.2
"""So much processor time has a stage used on a call by which it certainly works on it."""
SESSION_PATIENCE_S = 600.0
"""The real stages take some 20 s for the clip on a quiet machine."""
DIFFERS = {
    *("session", "session_id", "document_sha256"),
    *("created_at", "finished_at", "processed_at", "processing_time", "queue_s", "run_s"),
    # Who was killed has been tried again.
    *("attempts", "reused"),
}
"""What two runs of the same recordings need not have in common."""


def skip_without_models() -> None:
    """Skip the test where a model is missing."""
    for name in MODELS:
        try:
            locate(name, default_models_dir())
        except PreconditionError as error:
            pytest.skip(f"{error.message} `make chaos` fetches it.")


class RealSystem:
    """See the module.

    Args:
        folder: Of the store, the database and the logs.
    """

    def __init__(self, folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        for name in ("store", "spool", "scratch"):
            (folder / name).mkdir()
        self.store, self._scratch = folder / "store", folder / "scratch"
        self.results = Results(self.store)
        self.accepted: list[str] = []
        plan = plan_demo(folder, {}, local_llm=False)
        self.proxies: dict[str, Proxy] = {}
        self.processes: dict[str, Process] = {}
        shared = base_environment(os.environ) | {MARK: self.mark, "TMPDIR": str(self._scratch)}
        for one in plan.processes:
            told = dict(one.environment)
            if one.name == "gateway":
                told["GATEWAY_RATE_LIMIT_UPLOADS"] = ""
            if one.name == "orchestrator":  # It comes after the stages.
                told |= {
                    f"ORCHESTRATOR_{name.upper()}_ADDRESS": urlparse(p.url).netloc
                    for name, p in self.proxies.items()
                }
            port = int(told[f"{one.name.upper()}_PORT"])
            self.processes[one.name] = Process(one.name, folder, list(one.command[1:]), port, shared | told)
            if one.name not in ("orchestrator", "gateway"):
                self.proxies[one.name] = Proxy(f"http://127.0.0.1:{port}")
        self._ready = {one.name: one.ready for one in plan.processes}
        self.http = httpx.Client(base_url=plan.gateway_url, timeout=60, trust_env=False)
        self._killers = ThreadPoolExecutor(len(self.proxies))

    def start(self) -> None:
        """Start all processes and wait until each is ready."""
        for process in self.processes.values():
            process.start()
        for name, process in self.processes.items():
            until(lambda: self._ready[name]() or not process.alive, f"{name}: {process.log()}", 180)  # noqa: B023
            assert process.alive, process.log()

    def submit(self, *answers: tuple[Path, str]) -> str:
        """Upload answers (recording, question), and return the session's id."""
        files = [("videos", (path.name, path.read_bytes())) for path, _ in answers]
        form = {
            "questions": [question for _, question in answers],
            "candidate_name": "Demo",
            "language": "en",
        }
        accepted = self.http.post("/upload", files=files, data=form)
        assert accepted.status_code == 200, accepted.text
        self.accepted.append(str(accepted.json()["session_id"]))
        return self.accepted[-1]

    def result(self, session_id: str) -> dict[str, Any]:
        """Wait for a session's end, and return its document."""

        def ended() -> bool:
            try:
                status = self.http.get(f"/status/{session_id}")
            except httpx.HTTPError:
                return False
            return status.is_success and status.json()["status"] in ("completed", "failed")

        logs = "\n".join(process.log() for process in self.processes.values())
        until(ended, f"{session_id} does not end\n{logs}", SESSION_PATIENCE_S)
        document: dict[str, Any] = self.http.get(f"/results/{session_id}").json()
        return document

    def kill_at_work(self, name: str, marker: bytes, *, busy: bool) -> Future[None]:
        """Kill a stage's process (-9) while it works on a call, once, and start it again.

        Args:
            name: The process.
            marker: Bytes of the call's request.
            busy: Whether it is seen to be at work by the processor time that it uses. What is done at once is
                killed before its answer arrives: that is held back.
        """
        halt = Halt(marker)
        self.proxies[name].troubles.halts.append(halt)
        return self._killers.submit(self._kill, self.processes[name], halt, busy)

    @staticmethod
    def _kill(process: Process, halt: Halt, busy: bool) -> None:
        try:
            assert halt.begun.wait(SESSION_PATIENCE_S), f"{process.name} was never called"
            enough_s = process.cpu_s() + AT_WORK_S
            until(lambda: not busy or process.cpu_s() >= enough_s, f"{process.name} does not work")
            process.kill()
        finally:
            halt.over.set()
        process.start()

    def account(self) -> dict[str, int]:
        """Check every document, and return how many each session had."""
        check_documents(self.store, self.accepted)
        return self.results.written()

    def close(self) -> None:
        """Stop everything in good order and check that nothing stays."""
        for process in reversed(self.processes.values()):
            if process.alive:
                process.send(signal.SIGTERM)
        for process in self.processes.values():
            if process.alive:
                process.wait()
        until(lambda: not left_running(self.mark), f"left: {left_running(self.mark)}", patience_s=20)
        left = orphans(self.store, set(self.accepted))
        assert left == [], left

    def kill_all(self) -> None:
        """End what a failed scenario left."""
        self.http.close()
        for process in self.processes.values():
            process.kill()
        for proxy in self.proxies.values():
            for halt in proxy.troubles.halts:
                halt.begun.set()
            proxy.close()
        self._killers.shutdown()


@contextmanager
def real_system(folder: Path) -> Iterator[RealSystem]:
    """Run the seven processes, and check at the end that nothing of them stays."""
    made = RealSystem(folder)
    try:
        made.start()
        yield made
        made.close()
    finally:
        made.kill_all()


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two documents differ, but for ids, times and numbers of attempts."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted((one.keys() | other.keys()) - DIFFERS)
        return [
            line for name in names for line in differences(one.get(name), other.get(name), f"{path}.{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for place, pair in pairs for line in differences(*pair, f"{path}[{place}]")]
    return [] if one == other else [f"{path}: {one} / {other}"]
