"""A child that decodes can't take more than it was given, and does not outlive its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chassis.decoding.child_limits import DEATH_SIGNALS, ChildLimits
from tests.folders import ROOT

START = (
    f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); "
    "from chassis.decoding.child_limits import ChildLimits; "
)
LIMITS = ChildLimits(max_memory_bytes=512 << 20, max_cpu_s=60.0)
PATIENCE_S = 60


def child(limits: ChildLimits, code: str) -> subprocess.CompletedProcess[str]:
    apply = f"ChildLimits({limits.max_memory_bytes}, {limits.max_cpu_s}, {limits.max_file_bytes}, "
    apply += f"{limits.max_open_file_count}).apply(os.getppid())\n"
    command = [sys.executable, "-I", "-c", START + apply + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_memory_over_the_limit_is_refused_and_the_child_lives_on() -> None:
    done = child(
        LIMITS,
        "try:\n    bytes(1 << 30)\nexcept MemoryError:\n    print('refused')\nprint(len(bytes(1 << 20)))",
    )

    assert done.stdout.split() == ["refused", str(1 << 20)]


def test_time_and_files_over_the_limit_end_the_child(tmp_path: Path) -> None:
    busy = child(ChildLimits(512 << 20, 1.0), "while True: pass")
    write = f"open({str(tmp_path / 'a')!r}, 'wb', buffering=0).write(bytes(2_000))"
    few = child(ChildLimits(512 << 20, 60.0, max_file_bytes=1_000), f"for _ in range(3): {write}")
    none = child(LIMITS, write)

    assert -busy.returncode in DEATH_SIGNALS
    assert few.returncode == 0 or -few.returncode in DEATH_SIGNALS
    assert none.returncode != 0
    assert (tmp_path / "a").stat().st_size <= 1_000


def test_no_more_files_than_allowed_are_open() -> None:
    done = child(ChildLimits(512 << 20, 60.0, 0, 20), "files = [open('/dev/null') for _ in range(30)]")

    assert done.returncode == 1
    assert "Too many open files" in done.stderr


def test_a_limit_of_the_process_itself_is_never_raised() -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[1])"
    lower = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30)); "
    apply = "ChildLimits(1 << 30, 60.0).apply(); "
    command = [sys.executable, "-I", "-c", START + lower + apply + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert done.stdout.strip() == "30"


def test_a_child_whose_parent_is_gone_ends_at_once() -> None:
    command = [sys.executable, "-I", "-c", START + "ChildLimits(1 << 30, 60.0).apply(1 << 22); print('on')"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word for it is Linux'")
def test_a_child_dies_with_its_parent() -> None:
    limited = (
        START
        + "ChildLimits(1 << 30, 600.0).apply(); print(os.getpid(), flush=True); import time; time.sleep(600)"
    )
    parent = (
        "import subprocess, sys; "
        f"subprocess.Popen([sys.executable, '-I', '-c', {limited!r}]); import time; time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-I", "-c", parent], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        child_pid = int(started.stdout.readline())
        started.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + PATIENCE_S
    while _lives(child_pid):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
