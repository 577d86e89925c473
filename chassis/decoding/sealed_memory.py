"""Memory that a process shares with its child."""

from __future__ import annotations

import fcntl
import os

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def sealed_memory(size_bytes: int) -> int:
    """Return a file descriptor of memory whose size nobody can change: reading it never fails."""
    memory_fd = os.memfd_create("decoded", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(memory_fd, size_bytes)
    fcntl.fcntl(memory_fd, fcntl.F_ADD_SEALS, _SEALS)
    return memory_fd
