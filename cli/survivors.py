"""Stops the processes of a supervisor that was killed: a script that runs as a process of its own.

It imports little and nothing of ours. It reads standard input: a line `NAME GROUP` for each process group
that was started, or started again under its name, and `end` once the supervisor has stopped all of them. If
the input ends without that, nobody else knows of them any more. `cli.heir` starts it.

    python -I -S survivors.py GRACE_S
"""

from __future__ import annotations

import os
import signal
import sys
import time

END = "end"
LOOK_PAUSE_S = 0.1


def main(grace_s: float) -> None:
    """Wait for the supervisor's end.

    Args:
        grace_s: Time that the processes get after SIGTERM.
    """
    groups: dict[str, int] = {}
    for line in sys.stdin:
        if line.strip() == END:
            return
        name, _, group = line.rpartition(" ")
        groups[name] = int(group)
    stop(set(groups.values()), grace_s)


def stop(groups: set[int], grace_s: float) -> None:
    """End process groups: SIGTERM, and SIGKILL after a while."""
    left = {group for group in groups if _signalled(group, signal.SIGTERM)}
    deadline_s = time.monotonic() + grace_s
    while left and time.monotonic() < deadline_s:
        time.sleep(LOOK_PAUSE_S)
        left = {group for group in left if _signalled(group, 0)}
    for group in left:
        _signalled(group, signal.SIGKILL)


def _signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(float(sys.argv[1]))
