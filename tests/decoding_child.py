"""Many hostile files in one decoding child, limited like the real one, and what it was seen to do."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.folders import ROOT

CHILD = f"""
import json, re, sys
sys.path.insert(0, {str(ROOT)!r})
from orchestrator.stages.decoding import answer_to, limit
jobs = json.load(sys.stdin)
limit(jobs[0])
for job in jobs:
    answer = answer_to(job)
    # Of this program alone: `ru_maxrss` counts what the process was before it became this program.
    peak_kib = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
    answer["peak_bytes"] = int(peak_kib) * 1024
    print(json.dumps(answer), flush=True)
"""
MEMORY_BYTES = 2 << 30
PATIENCE_S = 1_500
IN_ACCESS, IN_OPEN = 0x1, 0x20
IN_NONBLOCK = os.O_NONBLOCK


def decode_all(files: Sequence[Path], work: Path, **changes: Any) -> list[dict[str, Any]]:
    """Decode files one after the other in one child. A list that is too short tells which one it died of.

    Args:
        files: The recordings.
        work: A folder for their sound.
        changes: To the limits of the job.
    """
    job = {
        "wav": str(work / "sound.wav"),
        "max_duration_s": 60.0,
        "max_pixel_count": 1920 * 1080,
        "max_track_count": 16,
        "max_memory_bytes": MEMORY_BYTES,
        "max_cpu_s": PATIENCE_S,
        "parent_pid": os.getpid(),
    } | changes
    jobs = [job | {"source": str(file)} for file in files]
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", CHILD],
        input=json.dumps(jobs).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE_S,
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@dataclass
class Surroundings:
    """What must stay untouched while a file is decoded."""

    secret: Path
    listener: socket.socket
    _watch: int = field(default=-1)

    @property
    def address(self) -> str:
        """`host:port` of a socket that listens."""
        host, port = self.listener.getsockname()
        return f"{host}:{port}"

    def was_connected(self) -> bool:
        """Tell whether somebody connected."""
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def was_opened(self) -> bool:
        """Tell whether somebody opened the secret since the last time."""
        try:
            events = os.read(self._watch, 65_536)
        except BlockingIOError:
            return False
        mask = struct.unpack_from("iI", events)[1]
        return bool(mask & (IN_OPEN | IN_ACCESS))


@contextmanager
def watched(folder: Path, content: bytes) -> Iterator[Surroundings]:
    """Lay a file aside, listen on a port, and notice whoever opens the one or connects to the other."""
    secret = folder / "secret.mp4"
    secret.write_bytes(content)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(IN_NONBLOCK)
    added = libc.inotify_add_watch(watch, os.fsencode(secret), IN_OPEN | IN_ACCESS)
    assert watch >= 0
    assert added >= 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        try:
            yield Surroundings(secret, listener, watch)
        finally:
            os.close(watch)
