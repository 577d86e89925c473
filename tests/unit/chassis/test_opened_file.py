"""A file that is opened in a thread is closed again, also for a caller that is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from chassis.store.writing import opened_file
from tests.waiting import until

pytestmark = pytest.mark.anyio


class SlowPath:
    """Opens its file only when it is told to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.begun = threading.Event()
        self.goes_on = threading.Event()
        self.files: list[Any] = []

    def open(self, mode: str) -> Any:
        self.begun.set()
        assert self.goes_on.wait(60)
        self.files.append(self._path.open(mode))
        return self.files[0]


@pytest.fixture
def slow(tmp_path: Path) -> SlowPath:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    return SlowPath(path)


async def read(path: SlowPath) -> bytes:
    async with opened_file(path) as source:  # type: ignore[arg-type]
        return source.read()


async def test_it_is_read_and_closed(slow: SlowPath) -> None:
    slow.goes_on.set()

    assert await read(slow) == b"abc"
    assert slow.files[0].closed


async def test_who_is_cancelled_while_it_is_opened_leaves_no_open_file(slow: SlowPath) -> None:
    reading = asyncio.create_task(read(slow))
    await asyncio.to_thread(slow.begun.wait, 60)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    slow.goes_on.set()

    await until(lambda: slow.files and slow.files[0].closed)


async def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with opened_file(tmp_path / "none"):
            pass
