"""A Redis of our own, for tests that also freeze and kill it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import server_containers
from tests.free_ports import free_port
from tests.server_containers import RedisInContainer

START_TIMEOUT_S = 60.0


class RedisServer:
    """A server that keeps nothing on the disk.

    Args:
        binary: `redis-server`.
        folder: Where it works.
    """

    def __init__(self, binary: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._command = [
            binary,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
        )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline_s, "redis-server does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def freeze(self) -> None:
        """Let it stand still: connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would. What it counted is gone."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(START_TIMEOUT_S)
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


AnyRedis = RedisServer | RedisInContainer


@contextmanager
def own_redis(folder: Path) -> Iterator[AnyRedis]:
    """Run a Redis of our own, in a container where that can be. Skips where there is none on this machine."""
    with server_containers.redis() as contained:
        if contained is not None:
            yield contained
            return
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(binary, folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
