"""Processes that a scenario starts, kills, freezes and thaws."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.folders import ROOT

PATIENCE_S = 300
"""How long a condition is waited for: seconds on a quiet machine, much longer on a busy one."""
MARK = "INTERVIEW_CHAOS_RUN"
"""Variable that tells the processes of one run, also those that they started themselves."""


class Process:
    """One process of ours that may be started again.

    Args:
        name: Of its log.
        folder: Holds its log.
        arguments: After `python`.
        port: Where it listens.
        variables: Of its environment.
    """

    def __init__(
        self, name: str, folder: Path, arguments: list[str], port: int, variables: Mapping[str, str]
    ) -> None:
        self.name = name
        self.port = port
        self._log = folder / f"{name}.log"
        self._arguments = arguments
        own = {key: value for key, value in os.environ.items() if not key.startswith("ORCHESTRATOR_")}
        self._environment = own | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"} | dict(variables)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it. It listens a while later."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, *self._arguments], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    def up(self) -> Process:
        """Start it and wait until it listens."""
        self.start()
        self.wait_listening()
        return self

    def wait_listening(self) -> None:
        """Wait until it listens."""
        until(lambda: listens(self.port) or not self.alive, f"{self.name} never listened: {self.log()}")
        assert self.alive, self.log()

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._child is not None
        self._child.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        assert self._child is not None
        return self._child.wait(PATIENCE_S)

    def kill(self) -> None:
        """Kill it at once."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def cpu_s(self) -> float:
        """Return the processor time that it has used, with its threads."""
        assert self._child is not None
        # After the command's name, which may hold anything, in brackets.
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def until(
    condition: Callable[[], object], message: str = "it never came", patience_s: float = PATIENCE_S
) -> None:
    """Wait for a condition."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, message
        time.sleep(0.05)


def left_running(mark: str) -> list[str]:
    """Return the command lines of all processes that carry a mark."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:  # It ended meanwhile, or is a zombie.
                continue
    return [line for line in found if line]
