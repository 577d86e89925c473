"""CPU seconds and memory of processes with all their descendants, from `/proc` (Linux).

A child that ended is counted with the parent that waited for it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

BYTES_PER_MIB = 1024 * 1024
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PARENT, FIRST_TIME, LAST_TIME = 1, 11, 14
"""Places in `/proc/PID/stat` behind the program's name: the parent, and four times of the process."""
RSS_PAUSE_S = 0.25
PSS_EVERY = 8
"""One look in so many counts shared pages by their share. The kernel walks all pages for it."""
RESET_PEAK = "5"


def descendants(pid: int) -> set[int]:
    """Return a process and all that descend from it, as far as they live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                children.setdefault(int(_stat(int(entry.name))[PARENT]), []).append(int(entry.name))
    found, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += children.get(one, ())
    return found


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    found = []
    for one in descendants(pid):
        with contextlib.suppress(OSError, IndexError):
            if int(_stat(one)[PARENT]) == pid:
                found.append(one)
    return sorted(found)


def command_of(pid: int) -> list[str]:
    """Return the command line of a process, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
    except OSError:
        return []


def tree_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process, of all that descend from it, and of those that have ended."""
    total_ticks = 0
    for one in descendants(pid):
        with contextlib.suppress(OSError, IndexError):
            total_ticks += sum(map(int, _stat(one)[FIRST_TIME : LAST_TIME + 1]))
    return total_ticks / TICKS_PER_S


def peak_rss_mib(pid: int) -> float:
    """Return the highest resident size of one process since its start or since `forget_peak`."""
    return _kib(Path(f"/proc/{pid}/status"), "VmHWM:") / 1024


def pss_mib(pid: int) -> float:
    """Return the resident size of one process, where a page of several counts by its share."""
    return _kib(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") / 1024


def forget_peak(pid: int) -> None:
    """Let the highest resident size of a process be found anew from now on, where the kernel allows."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK, encoding="ascii")


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def _kib(path: Path, field: str) -> int:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)


def _rss_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * PAGE_BYTES / BYTES_PER_MIB


@dataclass(frozen=True)
class Used:
    """What processes took while they were watched, by name. Descendants are counted with them."""

    cpu_s: Mapping[str, float]
    peak_rss_mib: Mapping[str, float]
    """Of the process itself, as `make demo` measures it. The peaks need not be at one time."""
    tree_rss_mib: float
    """Highest sum of all resident sizes at one time. Pages of several processes count several times."""
    tree_pss_mib: float
    """Highest sum at one time where pages of several processes count once. Looked at every two seconds."""
    child_peak_rss_mib: Mapping[str, float] = field(default_factory=dict)
    """Highest resident size of a single process among those that descend from it. 0 where none does."""


class Watch:
    """Watches processes during its block.

    Args:
        roots: Process ids by name.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = dict(roots)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._begin_cpu_s: dict[str, float] = {}
        self._tree_rss_mib = self._tree_pss_mib = 0.0
        self._child_peak_rss_mib = dict.fromkeys(self._roots, 0.0)
        self.used = Used({}, {}, 0.0, 0.0)
        """What was used. Complete once the block has ended."""

    def __enter__(self) -> Watch:
        for pid in self._roots.values():
            forget_peak(pid)
        self._begin_cpu_s = {name: tree_cpu_s(pid) for name, pid in self._roots.items()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cpu_s = {name: tree_cpu_s(pid) - self._begin_cpu_s[name] for name, pid in self._roots.items()}
        peaks_mib = {name: peak_rss_mib(pid) for name, pid in self._roots.items()}
        self._end.set()
        self._thread.join()
        self.used = Used(cpu_s, peaks_mib, self._tree_rss_mib, self._tree_pss_mib, self._child_peak_rss_mib)

    def _look(self) -> None:
        looks = 0
        while True:
            trees = {name: descendants(pid) for name, pid in self._roots.items()}
            for name, tree in trees.items():
                children = [peak_rss_mib(pid) for pid in tree - {self._roots[name]}]
                self._child_peak_rss_mib[name] = max([self._child_peak_rss_mib[name], *children])
            pids = set().union(*trees.values())
            self._tree_rss_mib = max(self._tree_rss_mib, sum(map(_rss_mib, pids)))
            if looks % PSS_EVERY == 0:
                self._tree_pss_mib = max(self._tree_pss_mib, sum(map(pss_mib, pids)))
            looks += 1
            if self._end.wait(RSS_PAUSE_S):
                return


def wait_until_idle(pid: int, timeout_s: float, idle_s: float = 1.0, idle_cpu_s: float = 0.15) -> None:
    """Wait until a tree has hardly worked for a while, at most so long."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        begin_cpu_s = tree_cpu_s(pid)
        time.sleep(idle_s)
        if tree_cpu_s(pid) - begin_cpu_s <= idle_cpu_s:
            return
