"""The seven processes in containers, as `docker compose` starts them, and what a client sees of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.deployment.compose_file import PROCESSES, services
from tests.folders import ROOT

PROJECT = "interview-check"
START_TIMEOUT_S = 900
SESSION_TIMEOUT_S = 900
COMMAND_TIMEOUT_S = 1200
METRICS = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"


class Containers:
    """The processes of one compose project."""

    def __init__(self, port: int) -> None:
        self.environment = {
            **os.environ,
            "GATEWAY_PUBLISHED_PORT": str(port),
            "GATEWAY_RATE_LIMIT_UPLOADS": "1000/hour",
        }
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def docker(self, *arguments: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """Run the command `docker` and return what it prints."""
        done = subprocess.run(
            ["docker", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        assert done.returncode == 0, f"{done.stderr}\n{self.logs() if 'up' in arguments else ''}"
        return done.stdout.strip()

    def logs(self) -> str:
        """Return the last lines that each process wrote."""
        return self.compose("logs", "--no-color", "--tail", "5")

    def compose(self, *arguments: str) -> str:
        """Run the command `docker compose` of this project."""
        return self.docker("compose", "--project-name", PROJECT, *arguments)

    def start(self, scale: Mapping[str, int]) -> None:
        """Start all processes and wait until they are healthy."""
        scaled = [part for name, count in scale.items() for part in ("--scale", f"{name}={count}")]
        self.compose(
            "up", "--detach", "--no-build", "--wait", "--wait-timeout", str(START_TIMEOUT_S), *scaled
        )

    def of(self, service: str) -> list[str]:
        """Return the containers of a service."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def kill(self, service: str) -> None:
        """Kill a container of a service as a crash would, and start it as the engine does after a crash.

        An engine counts a kill of its own as a stop that somebody wanted, and restarts nothing.
        """
        container = self.of(service)[0]
        self.docker("kill", "--signal", "KILL", container)
        self.docker("start", container)

    def submit(self, recording: Path) -> str:
        """Upload a recording and return the session."""
        accepted = self.http.post(
            "/upload",
            files={"videos": (recording.name, recording.read_bytes())},
            data={"questions": "Why?", "candidate_name": "Test", "language": "en"},
        )
        assert accepted.status_code == 200, accepted.text
        session_id: str = accepted.json()["session_id"]
        return session_id

    def has_begun(self, session_id: str) -> bool:
        """Tell whether a session's work is under way."""
        status: str = self.http.get(f"/status/{session_id}").json()["status"]
        return status not in ("queued", "uploaded", "pending")

    def result_of(self, session_id: str) -> dict[str, Any]:
        """Wait for a session's end and return its document."""
        deadline_s = time.monotonic() + SESSION_TIMEOUT_S
        while self.http.get(f"/status/{session_id}").json()["status"] not in ("completed", "failed"):
            assert time.monotonic() < deadline_s, "the session did not end"
            time.sleep(0.5)
        document: dict[str, Any] = self.http.get(f"/results/{session_id}").json()
        return document

    def call_counts(self, service: str, method: str) -> list[int]:
        """Return how many calls of a method each container of a service has served with success."""
        wanted = re.compile(rf'interview_rpc_seconds_count\{{.*{method}.*code="OK".*\}} (\S+)')
        return [
            sum(
                int(float(found))
                for found in wanted.findall(self.docker("exec", name, "python", "-c", METRICS))
            )
            for name in self.of(service)
        ]

    def restart_counts(self) -> dict[str, int]:
        """Return how often the engine has restarted the containers of each process."""
        return {
            service: sum(
                int(self.docker("inspect", "--format", "{{.RestartCount}}", name))
                for name in self.of(service)
            )
            for service in PROCESSES
        }

    def exit_codes(self) -> dict[str, set[int]]:
        """Return the exit codes of the stopped containers of each process."""
        template = "{{.State.ExitCode}}"
        return {
            service: {int(self.docker("inspect", "--format", template, name)) for name in self.of(service)}
            for service in PROCESSES
        }


@contextmanager
def running(port: int, scale: Mapping[str, int]) -> Iterator[Containers]:
    """Start all processes, and remove them with their volumes in the end."""
    containers = Containers(port)
    try:
        containers.start(scale)
        yield containers
    finally:
        containers.http.close()
        containers.compose("down", "--volumes", "--remove-orphans", "--timeout", "150")


def reason_to_skip() -> str:
    """Return why nothing can be run here, or nothing."""
    try:
        version = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "the command docker is not here"
    if version.returncode != 0:
        return "no Docker engine answers"
    told = {
        name: os.environ[name]
        for name in ("INTERVIEW_IMAGE_PREFIX", "INTERVIEW_IMAGE_TAG")
        if name in os.environ
    }
    images = [services(told)[name]["image"] for name in (*PROCESSES, "models")]
    missing = subprocess.run(
        ["docker", "image", "inspect", *images], capture_output=True, check=False, timeout=60
    )
    return "" if missing.returncode == 0 else "the images are not built (`make images`)"


def demo_recordings() -> list[Path]:
    """Return the recordings of the demo clip."""
    questions = json.loads((ROOT / "demo" / "questions.json").read_text(encoding="utf-8"))
    return [ROOT / "demo" / answer["file"] for answer in questions["answers"]]
