"""A process that is the first one of its own PID namespace, as a container's is."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.waiting import wait_until

UNSHARE = ("unshare", "--pid", "--fork", "--kill-child")


@functools.cache
def can_be_first() -> bool:
    """Tell whether this user may make a PID namespace."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def start_first(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command as the first process of a namespace, or skip the test where that is not allowed.

    Returns:
        What ends with the command's status, and the command's own process id as seen from here.
    """
    if not can_be_first():
        pytest.skip("this user may not make a PID namespace")
    outer = subprocess.Popen([*UNSHARE, *command], env=dict(environment), cwd=folder)
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    wait_until(lambda: children.read_text().split())
    return outer, int(children.read_text().split()[0])
