"""What a killed writer leaves in a folder: hidden, found, and removed when nobody writes it any more."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chassis.store import MediaStore, sweeping_parts
from tests.folders import ROOT, files_below

pytestmark = pytest.mark.anyio

WRITES_UNTIL_KILLED = """
import asyncio, sys
from chassis.store import MediaStore
async def blocks():
    yield bytes(20 << 20)
    yield bytes(20 << 20)
    print("begun", flush=True)
    await asyncio.Event().wait()
asyncio.run(MediaStore(sys.argv[1]).put_blocks("sessions/1/media/1.mp4", blocks()))
"""


def killed_while_writing(folder: Path) -> MediaStore:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_KILLED, folder.as_uri()],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return MediaStore(folder.as_uri())


def files(folder: Path) -> list[Path]:
    return files_below(folder)


async def test_what_a_killed_writer_leaves_is_swept_and_what_is_still_written_is_not(tmp_path: Path) -> None:
    store = killed_while_writing(tmp_path)
    assert await store.list("") == []
    assert len(files(tmp_path)) == 1  # hidden, and there

    assert await store.sweep_parts(older_than_s=3600) == 0
    os.utime(files(tmp_path)[0], (time.time() - 7200,) * 2)
    await store.put_bytes("sessions/1/a#b", b"an object")
    os.utime(tmp_path / "sessions/1/a#b", (0, 0))

    assert await store.sweep_parts(older_than_s=3600, settle_s=0.0) == 1
    assert await store.get_bytes("sessions/1/a#b") == b"an object"


async def test_a_part_that_only_looks_old_and_is_written_to_stays(tmp_path: Path) -> None:
    part = tmp_path / "1.mp4#1"
    part.write_bytes(b"begun before the clock was set")
    os.utime(part, (0, 0))

    sweep = asyncio.create_task(MediaStore(tmp_path.as_uri()).sweep_parts(3600, settle_s=1.0))
    while not sweep.done():
        part.write_bytes(await asyncio.to_thread(part.read_bytes) + b".")
        os.utime(part, (0, part.stat().st_size))
        await asyncio.sleep(0.02)

    assert await sweep == 0
    assert files(tmp_path) == [part]


async def test_deleting_a_session_takes_the_parts_of_a_killed_writer_along(tmp_path: Path) -> None:
    store = killed_while_writing(tmp_path)

    await store.delete_prefix("sessions/1")

    assert files(tmp_path) == []


async def gone(folder: Path) -> bool:
    """Wait until a folder holds no file."""
    for _ in range(6000):
        if not files(folder):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_parts_are_swept_at_the_start_and_again(tmp_path: Path) -> None:
    def leave_a_part() -> None:
        (tmp_path / "1.mp4#1").write_bytes(b"left")
        os.utime(tmp_path / "1.mp4#1", (0, 0))

    leave_a_part()
    async with sweeping_parts(MediaStore(tmp_path.as_uri()), interval_s=0.01, settle_s=0.01):
        assert await gone(tmp_path)
        leave_a_part()
        assert await gone(tmp_path)
