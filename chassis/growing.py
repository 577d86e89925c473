"""Recordings that are read while they still arrive: a file, and a mark beside it for as long as it grows.

Whoever writes makes a `GrowingFile`. Whoever reads, in any process, is told by the mark whether more may
come.
Standard library only: a child that decodes a file loads this.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

POLL_S = 0.02
"""Between two looks at a file that has nothing new. A look costs microseconds."""
ALL_OF_IT = 1 << 62

Beat = Callable[[], None]
"""Called while there is nothing new. It raises where nobody waits any more."""


class Gate(Protocol):
    """Holds back bytes of a file."""

    def __call__(self, size_bytes: int, whole: bool) -> int:
        """Return how many bytes may be handed out of those that are there, and are all if it is `whole`."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def mark_of(recording: Path) -> Path:
    """Return the mark that stands beside a file while it grows."""
    return recording.with_name(recording.name + ".growing")


def is_growing(recording: Path) -> bool:
    """Tell whether more may come. Once it does not grow, it never does again."""
    return mark_of(recording).exists()


class GrowingFile:
    """A file that others may read before it is whole.

    Args:
        path: Where it lies. It is begun empty. An abandoned one keeps its mark: its folder has to go.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        mark_of(path).touch()
        self._file = path.open("wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Append. Readers see it at once."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def finish(self) -> None:
        """Say that it is whole."""
        self.close()
        mark_of(self.path).unlink()

    def close(self) -> None:
        """Give the file back without a word: nobody may take it for a whole one."""
        self._file.close()


class AbandonedError(OSError):
    """A file was removed while it grew: nothing more will come."""


class FrontReader(io.RawIOBase):
    """Reads a file from the front. At the end of what is there it waits, until the file is whole.

    Args:
        recording: The file. It need not grow.
        beat: Called while it waits.
        gate: Holds back what may not be handed out yet. It is closed with the reader.
    """

    def __init__(self, recording: Path, beat: Beat, gate: Gate | None = None) -> None:
        super().__init__()
        self.name = str(recording)
        self._recording = recording
        self._beat = beat
        self._gate = gate
        self._allowed_bytes = 0 if gate else ALL_OF_IT
        self._file = recording.open("rb", buffering=0)
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at least one byte into the buffer, or none at the end of the whole file.

        Raises:
            AbandonedError: The file was removed before it was whole.
        """
        while True:
            grows = is_growing(self._recording)  # asked first: what came before the answer is seen below
            if self._gate is not None and self._at >= self._allowed_bytes:
                self._allowed_bytes = self._gate(os.fstat(self._file.fileno()).st_size, not grows)
            size = min(len(buffer), self._allowed_bytes - self._at)
            count = self._file.readinto(memoryview(buffer)[:size]) if size > 0 else 0
            if count or not grows:
                if not count and os.fstat(self._file.fileno()).st_nlink == 0:
                    raise AbandonedError("the recording was removed while it was read")
                self._at += count or 0
                return count or 0
            self._beat()
            time.sleep(POLL_S)

    def close(self) -> None:
        """Give the file back."""
        if self._gate is not None:
            self._gate.close()
        self._file.close()
        super().close()


def wait_for_bytes(recording: Path, size_bytes: int, beat: Beat) -> int:
    """Wait until a file has so many bytes or is whole. Return how many it has."""
    while (there := recording.stat().st_size) < size_bytes:
        if not is_growing(recording):
            return recording.stat().st_size
        beat()
        time.sleep(POLL_S)
    return there


def wait_until_whole(recording: Path, beat: Beat) -> None:
    """Wait until a file does not grow any more."""
    while is_growing(recording):
        beat()
        time.sleep(POLL_S)
