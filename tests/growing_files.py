"""Files that grow in tests: a thread writes them, chunk by chunk, while they are read."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.growing import GrowingFile
from tests.waiting import PATIENCE_S


def chunks_of(content: bytes, seed: int, chunk_count: int = 20) -> list[bytes]:
    """Cut bytes at random places."""
    cuts = sorted(random.Random(seed).choices(range(len(content) + 1), k=chunk_count))
    return [content[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@contextmanager
def growing(
    path: Path,
    content: bytes,
    *,
    seed: int = 1,
    pause_s: float = 0.005,
    goes_on: Callable[[], bool] | None = None,
) -> Iterator[Path]:
    """Write a file from another thread while the block runs. It is whole when the block ends.

    Args:
        path: The file.
        content: What it will hold.
        seed: Of the places where it is cut.
        pause_s: Between two chunks.
        goes_on: Asked before each chunk but the first half. It is waited for.
    """
    file = GrowingFile(path)
    ended, deadline_s = threading.Event(), time.monotonic() + PATIENCE_S

    def waits() -> bool:
        return goes_on is not None and not goes_on() and not ended.is_set() and time.monotonic() < deadline_s

    def write() -> None:
        chunks = chunks_of(content, seed)
        for index, chunk in enumerate(chunks):
            while index > len(chunks) // 2 and waits():
                time.sleep(0.01)
            file.write(chunk)
            time.sleep(pause_s)
        file.finish()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield path
    finally:
        ended.set()
        writer.join()


def begun(path: Path, content: bytes) -> Path:
    """Write the beginning of a file that goes on growing, and never does."""
    file = GrowingFile(path)
    file.write(content)
    file.close()
    return path
