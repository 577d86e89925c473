"""Starts processes of this machine, waits until they are ready, and stops them whatever happens.

Each writes its output to a log file of its own. Ports are loopback ports that were free a moment ago. If we
are killed, an heir stops them (`cli.heir`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.private_files import open_private
from chassis.server import EXIT_START_AGAIN
from cli.failures import CommandError, ExitCode
from cli.heir import Heir
from cli.process_logs import last_words

LOOPBACK = "127.0.0.1"
PROBE_TIMEOUT_S = 2.0
PROBE_PAUSE_S = 0.25
STOP_GRACE_S = 15.0
"""Time to drain after SIGTERM. The demo has nothing left to drain."""
LOG_TAIL_LINES = 5
SHELL_SIGNAL_BASE = 128
MAX_STARTS_AGAIN = 5
"""Of one process within `START_AGAIN_WINDOW_S`. One that asks for more does not get better by it."""
START_AGAIN_WINDOW_S = 3600.0

Probe = Callable[[], bool]
"""Tells whether a process is ready."""


def _always_ready() -> bool:
    return True


@dataclass(frozen=True)
class ProcessPlan:
    """A process to start."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Probe = _always_ready


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def grpc_probe(port: int) -> Probe:
    """Ask a gRPC process for its health."""

    def ready() -> bool:
        # The proxy of the environment is for the outside; gRPC would use it here as well.
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.insecure_channel(f"{LOOPBACK}:{port}", options=options) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            try:
                reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_TIMEOUT_S)
            except grpc.RpcError:
                return False
            return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)

    return ready


def http_probe(url: str) -> Probe:
    """Ask an HTTP process whether it is ready."""

    def ready() -> bool:
        try:
            return httpx.get(url, timeout=PROBE_TIMEOUT_S, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    return ready


class Supervisor:
    """Runs processes for as long as its block.

    Args:
        log_dir: Receives `<name>.log`.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._plans: dict[str, ProcessPlan] = {}
        self._base_environment: Mapping[str, str] = {}
        self._started_again_s: dict[str, list[float]] = {}
        self._heir: Heir | None = None
        self._previous_handler: signal.Handlers | Callable[[int, FrameType | None], object] | int | None = (
            None
        )

    def __enter__(self) -> Supervisor:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._heir = Heir(STOP_GRACE_S)
        # SIGTERM must unwind the block as Ctrl-C does, or it would leave the processes behind.
        self._previous_handler = signal.signal(signal.SIGTERM, _interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C must not keep us from stopping what we started; it takes seconds.
        previous_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            self.stop()
            if self._heir is not None:
                self._heir.dismiss()
        finally:
            signal.signal(signal.SIGINT, previous_interrupt)
            signal.signal(signal.SIGTERM, self._previous_handler or signal.SIG_DFL)

    def start(self, plans: Sequence[ProcessPlan], base_environment: Mapping[str, str]) -> None:
        """Start processes.

        Raises:
            CommandError: A program can't be started.
        """
        self._base_environment = base_environment
        for plan in plans:
            self._start(plan, "wb")

    def keep_alive(self) -> list[str]:
        """Start those anew that ended and ask for it: a stage whose engine was stuck. The others go on.

        Returns:
            Their names.

        Raises:
            CommandError: One has ended otherwise, or asks for it too often, or can't be started.
        """
        names = []
        for name, process in list(self._running.items()):
            status = process.poll()
            if status == EXIT_START_AGAIN and self._may_start_again(name):
                _signal_group(process, signal.SIGKILL)  # children that outlive it
                self._start(self._plans[name], "ab")
                names.append(name)
            elif status is not None:
                self._raise_ended(name, status)
        return names

    def _may_start_again(self, name: str) -> bool:
        now_s = time.monotonic()
        recent_s = [at for at in self._started_again_s.get(name, ()) if now_s - at < START_AGAIN_WINDOW_S]
        self._started_again_s[name] = [*recent_s, now_s]
        return len(recent_s) < MAX_STARTS_AGAIN

    def _start(self, plan: ProcessPlan, log_mode: str) -> None:
        with open(self.log_path(plan.name), log_mode, opener=open_private) as log:
            try:
                self._running[plan.name] = subprocess.Popen(
                    plan.command,
                    env={**self._base_environment, **plan.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Away from the terminal's Ctrl-C: we stop them, in order and each once.
                    start_new_session=True,
                )
            except OSError as error:
                raise CommandError(
                    f"Can't start {plan.name}: {error.strerror}.", code="PROCESS_START_FAILED"
                ) from None
        self._plans[plan.name] = plan
        if self._heir is not None:
            self._heir.know(plan.name, self._running[plan.name].pid)

    def wait_ready(self, timeout_s: float, report: Callable[[str], object] = lambda _: None) -> None:
        """Wait until every process is ready. `report` gets the name of each that is.

        Raises:
            CommandError: One has ended, or is not ready in time.
        """
        deadline_s = time.monotonic() + timeout_s
        waiting = dict(self._plans)
        while waiting:
            self.check_alive()
            for name in [name for name, plan in waiting.items() if plan.ready()]:
                del waiting[name]
                report(name)
            if waiting and time.monotonic() > deadline_s:
                raise CommandError(
                    f"Not ready after {timeout_s:.0f} s: {', '.join(waiting)}. "
                    f"The logs in {self._log_dir} say why.",
                    code="PROCESS_NOT_READY",
                )
            if waiting:
                time.sleep(PROBE_PAUSE_S)

    def check_alive(self) -> None:
        """Raise if a process has ended by itself.

        Raises:
            CommandError: One has. The message ends with the end of its log.
        """
        for name, process in self._running.items():
            if (status := process.poll()) is not None:
                self._raise_ended(name, status)

    def _raise_ended(self, name: str, status: int) -> NoReturn:
        raise CommandError(
            f"{name} {_ending(status)}: {self._log_tail(name)} Its log is {self.log_path(name)}.",
            code="PROCESS_ENDED",
        )

    def peak_memory_bytes(self) -> dict[str, int]:
        """Return each running process's highest memory so far, where the system tells."""
        peaks = {}
        for name, process in self._running.items():
            try:
                text = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            except OSError:
                continue
            line = next((line for line in text.splitlines() if line.startswith("VmHWM:")), None)
            if line is not None:
                peaks[name] = int(line.split()[1]) * 1024
        return peaks

    def stop(self) -> None:
        """Stop everything that was started, the last one first."""
        processes = list(reversed(self._running.values()))
        for process in processes:
            _signal_group(process, signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_GRACE_S
        for process in processes:
            try:
                process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()
        # A process's own children outlive it only if it died hard.
        for process in processes:
            _signal_group(process, signal.SIGKILL)
        self._running.clear()
        self._plans.clear()

    def log_path(self, name: str) -> Path:
        """Return where a process's output goes."""
        return self._log_dir / f"{name}.log"

    def _log_tail(self, name: str) -> str:
        text = self.log_path(name).read_text(encoding="utf-8", errors="replace")
        return last_words(text, LOG_TAIL_LINES)


def _ending(status: int) -> str:
    """Say how a process ended. A shell that stands before it adds 128 to a signal's number."""
    number = -status if status < 0 else status - SHELL_SIGNAL_BASE
    if number == signal.SIGKILL:
        return "was killed (SIGKILL). If nobody did that, the machine's memory was full. Its last words"
    if number in set(signal.Signals):
        return f"crashed ({signal.Signals(number).name}). Its last words"
    return f"ended with {status}"


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(int(ExitCode.INTERRUPTED))
