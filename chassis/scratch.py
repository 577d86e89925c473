"""Local folders in which a recording lies while it is at work.

A folder is gone when its block is left. A process that is killed can't remove its own. So each is locked by
the process that made it, and the next process to start removes those that nobody holds any more.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from chassis.start_folders import temporary_folder

logger = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 600.0
PREFIX = "interview-scratch-"


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that lives as long as the block.

    Args:
        parent: Where; None: the system's temporary folder.

    Raises:
        OSError: It can't be made there.
    """
    folder, lock = _locked(parent)
    try:
        yield folder
    finally:
        # In this thread: a cancelled request could not wait for another one.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_left_folders(parent: Path | None = None) -> int:
    """Remove the folders of processes that were killed. Blocking. Call it at the start.

    Returns:
        How many were removed.

    Raises:
        PreconditionError: No folder for temporary files is writable (`FOLDER_UNUSABLE`).
    """
    removed_count = 0
    for folder in (parent or temporary_folder()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # Somebody else's, or gone already.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
            removed_count += 1
        except OSError:  # A process is at work in it, or it is not ours to remove.
            pass
        finally:
            os.close(lock)
    return removed_count


@asynccontextmanager
async def sweeping_folders(
    parent: Path | None = None, *, interval_s: float = SWEEP_INTERVAL_S
) -> AsyncIterator[None]:
    """Remove left folders now and then, as long as the block lasts. The first time at once.

    The lock tells a left folder from one in which a process is at work, however old it is.
    """
    task = asyncio.create_task(_sweep_again_and_again(parent, interval_s))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _sweep_again_and_again(parent: Path | None, interval_s: float) -> None:
    while True:
        if removed_count := await asyncio.to_thread(remove_left_folders, parent):
            logger.info("removed left folders", extra={"removed_count": removed_count})
        await asyncio.sleep(interval_s)


def _locked(parent: Path | None) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # A process that starts took it for a left one, before it was locked.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)
