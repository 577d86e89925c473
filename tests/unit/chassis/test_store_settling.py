"""What a folder store was given is on the disk before anybody is told that it is kept."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from chassis.errors import UnavailableError
from chassis.store.opening import open_store
from chassis.store.removing import Remover
from chassis.store.settling import settle
from chassis.store.writing import Writer

pytestmark = pytest.mark.anyio
KEY = "sessions/1/media/1.mp4"


class Disk:
    """Notes which files were written through, and what was in them."""

    def __init__(self, failure: OSError | None = None) -> None:
        self.settled: dict[str, bytes | None] = {}
        self.failure = failure

    def settle(self, root: Path, paths: Iterable[Path]) -> None:
        if self.failure is not None:
            raise self.failure
        for path in paths:
            key = path.relative_to(root).as_posix()
            self.settled[key] = path.read_bytes() if path.exists() else None
        settle(root, paths)


async def blocks() -> AsyncIterator[bytes]:
    yield b"a recording"


async def written(writer: Writer, way: str, folder: Path) -> None:
    if way == "file":
        (folder / "recording").write_bytes(b"a recording")
        await writer.put_file(KEY, folder / "recording")
    elif way == "blocks":
        await writer.put_blocks(KEY, blocks())
    elif way == "bytes":
        await writer.put_bytes(KEY, b"a recording")
    else:
        await writer.put_once(KEY, b"a recording")


@pytest.mark.parametrize("way", ["file", "blocks", "bytes", "once"])
async def test_a_write_ends_once_it_is_on_the_disk(tmp_path: Path, way: str) -> None:
    disk = Disk()
    await written(Writer(open_store((tmp_path / "store").as_uri()), disk.settle), way, tmp_path)

    assert disk.settled == {KEY: b"a recording"}


@pytest.mark.parametrize("way", ["file", "blocks", "bytes", "once"])
async def test_a_write_that_the_disk_does_not_take_is_no_write(tmp_path: Path, way: str) -> None:
    disk = Disk(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(UnavailableError) as told:
        await written(Writer(open_store((tmp_path / "store").as_uri()), disk.settle), way, tmp_path)

    assert told.value.reason == "STORE_FULL"


@pytest.mark.parametrize("way", ["file", "blocks"])
async def test_a_recording_that_the_disk_does_not_take_leaves_nothing(tmp_path: Path, way: str) -> None:
    disk = Disk(OSError(errno.EIO, "Input/output error"))
    opened = open_store((tmp_path / "store").as_uri())
    with pytest.raises(UnavailableError):
        await written(Writer(opened, disk.settle), way, tmp_path)

    assert list((tmp_path / "store").iterdir()) == []


async def test_a_write_that_is_tried_again_is_on_the_disk_too(tmp_path: Path) -> None:
    disk = Disk(OSError(errno.EIO, "Input/output error"))
    writer = Writer(open_store((tmp_path / "store").as_uri()), disk.settle)
    first = asyncio.create_task(writer.put_once(KEY, b"a recording"))
    while not (tmp_path / "store" / KEY).exists():  # noqa: ASYNC110 - another thread's file
        await asyncio.sleep(0.001)
    disk.failure = None

    assert await first
    assert disk.settled == {KEY: b"a recording"}


async def test_what_was_removed_is_gone_from_the_disk_too(tmp_path: Path) -> None:
    opened, disk = open_store((tmp_path / "store").as_uri()), Disk()
    await Writer(opened).put_bytes(KEY, b"a recording")

    await Remover(opened, disk.settle).remove_all([KEY])

    assert disk.settled == {KEY: None}


def test_a_file_that_is_gone_is_no_error(tmp_path: Path) -> None:
    settle(tmp_path, [tmp_path / "no" / "such"])
