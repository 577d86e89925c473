"""A process beside a supervisor that stops what the supervisor started, should that one be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from cli.survivors import END

SCRIPT = Path(__file__).with_name("survivors.py")


class Heir:
    """Lives as long as the supervisor, or until it is dismissed.

    Args:
        grace_s: Time that the processes get after SIGTERM.
    """

    def __init__(self, grace_s: float) -> None:
        reading, self._writing = os.pipe()
        self._process = subprocess.Popen(
            (sys.executable, "-I", "-S", str(SCRIPT), f"{grace_s:g}"),
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Away from the terminal's Ctrl-C, and from a kill of our group.
            start_new_session=True,
        )
        os.close(reading)

    def know(self, name: str, group: int) -> None:
        """Tell it of a process group, in the place of an earlier one of this name."""
        self._tell(f"{name} {group}")

    def dismiss(self) -> None:
        """End it. All that it knew of is stopped."""
        self._tell(END)
        os.close(self._writing)
        self._process.wait()

    def _tell(self, line: str) -> None:
        with suppress(OSError):  # It was killed itself. The supervisor stops everything.
            os.write(self._writing, f"{line}\n".encode())
