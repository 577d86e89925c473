"""What a child process that decodes a hostile file may cost. It limits itself, before it opens the file.

Standard library only: a child is started isolated (`python -I`) and loads this before anything else.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass

DEATH_SIGNALS = (signal.SIGXCPU, signal.SIGKILL, signal.SIGXFSZ)
"""How the kernel ends a child that ran into one of its limits."""
OPEN_FILE_COUNT = 64
"""Libraries, the recording twice, its output and the pipes take about 20."""
HARD_CPU_AFTER_S = 5
"""SIGXCPU comes at the limit, and SIGKILL so much later."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""A child's whole environment. Pools of threads reserve address space, of which it has little, and no key or
proxy of ours is its business."""
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
"""From Linux' `prctl.h`."""


@dataclass(frozen=True)
class ChildLimits:
    """What one child may cost.

    Args:
        max_memory_bytes: Address space. An allocation over it fails, and the child lives on.
        max_cpu_s: CPU time. The kernel ends a child that takes more.
        max_file_bytes: Largest file that it may write. 0: none at all.
        max_open_file_count: Files, pipes and sockets at once.
        dies_with_parent: Whether the kernel ends it with the thread that started it. That is right where the
            thread lives as long as the process.
    """

    max_memory_bytes: int
    max_cpu_s: float
    max_file_bytes: int = 0
    max_open_file_count: int = OPEN_FILE_COUNT
    dies_with_parent: bool = True

    def apply(self, parent_pid: int | None = None) -> None:
        """Limit the calling process, for good. It dumps no core.

        Args:
            parent_pid: The process that started it. A child whose parent is gone already ends here.
        """
        cpu_s = max(1, int(self.max_cpu_s))
        _lower(resource.RLIMIT_CPU, cpu_s, cpu_s + HARD_CPU_AFTER_S)
        _lower(resource.RLIMIT_AS, self.max_memory_bytes)
        _lower(resource.RLIMIT_FSIZE, self.max_file_bytes)
        _lower(resource.RLIMIT_NOFILE, self.max_open_file_count)
        _lower(resource.RLIMIT_CORE, 0)
        with suppress(OSError, AttributeError):  # Not Linux: the wall time ends it.
            libc = ctypes.CDLL(None, use_errno=True)
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if self.dies_with_parent:
                libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if parent_pid is not None and os.getppid() != parent_pid:
            os._exit(1)


def _lower(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, and never above the one that the process has already."""
    _, allowed = resource.getrlimit(kind)
    values = (soft, soft if hard is None else hard)
    if allowed != resource.RLIM_INFINITY:
        values = (min(values[0], allowed), min(values[1], allowed))
    resource.setrlimit(kind, values)
