"""How much of the GPU's memory is in use, as the driver's own command tells it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

INTERVAL_MS = 200
COMMAND = (
    "nvidia-smi",
    "--id=0",
    "--query-gpu=memory.used",
    "--format=csv,noheader,nounits",
    f"--loop-ms={INTERVAL_MS}",
)


class MostSeen:
    """The most that was seen so far."""

    def __init__(self) -> None:
        self.mib: float | None = None

    def see(self, line: str) -> None:
        """Take one line of the command. What is no number says nothing."""
        try:
            value = float(line)
        except ValueError:
            return
        self.mib = value if self.mib is None else max(self.mib, value)


@contextmanager
def watched(command: Sequence[str] = COMMAND) -> Iterator[MostSeen]:
    """Watch while something is measured. Without the command nothing is seen."""
    most = MostSeen()
    if shutil.which(command[0]) is None:
        yield most
        return
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def read() -> None:
        for line in process.stdout or ():
            most.see(line)

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        yield most
    finally:
        process.terminate()
        process.wait()
        reader.join()
        if process.stdout:
            process.stdout.close()
