"""Keeps a recording's sound in a file without a name, so that it takes no memory of the process.

An hour is 115 MB. What is read of it at once is a piece of some seconds, and the kernel keeps what was just
written in memory that it can take back.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

from services.transcriber.audio import Pcm

SAMPLE_BYTES = 2


class KeptSound:
    """Samples of 16 bits that are written once, from the front, and read in slices.

    The file has no name: it is gone with the process, however that ends.

    Args:
        folder: Where the file lies. None: the system's temporary folder.

    Raises:
        OSError: It can't be made or written there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (closed by `__exit__`)
        self._sample_count = 0

    def __enter__(self) -> KeptSound:
        """Keep the sound as long as the block lasts."""
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let go of the sound."""
        self._file.close()

    def __len__(self) -> int:
        return self._sample_count

    def append(self, pcm: Pcm) -> None:
        """Write the next samples."""
        rest = np.ascontiguousarray(pcm).data.cast("B") if pcm.size else memoryview(b"")
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
        self._sample_count += pcm.size

    def clear(self) -> None:
        """Forget all samples."""
        self._file.seek(0)
        self._file.truncate()
        self._sample_count = 0

    def __getitem__(self, part: slice) -> Pcm:
        """Return a copy of some samples. A slice has no step, and reaches as far as there is sound."""
        start, stop, step = part.indices(self._sample_count)
        if step != 1:
            raise ValueError(f"samples are read in order, not in steps of {step}")
        count_bytes = max(0, stop - start) * SAMPLE_BYTES
        read = os.pread(self._file.fileno(), count_bytes, start * SAMPLE_BYTES)
        return np.frombuffer(read, np.int16)
