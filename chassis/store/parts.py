"""Removes what writers that were killed left in a folder: hidden files `NAME#1`, which no listing shows.

S3 keeps such parts too, out of sight. A lifecycle rule of the bucket removes them (`docs/deployment.md`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from chassis.errors import InterviewError

logger = logging.getLogger(__name__)

PART = re.compile(r".#[0-9]+$")
"""How the library names a file that is still being written."""
STALE_AFTER_S = 3_600.0
"""A write that goes on touches its part far more often."""
SETTLE_S = 30.0
"""Time in which a part must not change before it goes: a clock that is set makes a young one look old."""
SWEEP_INTERVAL_S = 900.0


Found = dict[Path, tuple[int, int]]
"""Parts, each with its size and the time of its last change in nanoseconds."""


class Sweepable(Protocol):
    """A store whose left parts can be removed."""

    async def sweep_parts(self, older_than_s: float, settle_s: float = ...) -> int:
        """See `MediaStore.sweep_parts`."""


def find_parts(folder: Path, older_than_s: float) -> Found:
    """Return the parts below a folder that nobody has written to for a while. Blocking."""
    latest_time_s = time.time() - older_than_s
    found: Found = {}
    # Somebody else may remove the same at the same moment, folders as well: `walk` passes over what is gone.
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names if PART.search(name)):
            with contextlib.suppress(OSError):
                state = path.lstat()
                if stat.S_ISREG(state.st_mode) and state.st_mtime <= latest_time_s:
                    found[path] = (state.st_size, state.st_mtime_ns)
    return found


def remove_parts(found: Found) -> int:
    """Remove parts that are as they were when they were found. Blocking.

    Returns:
        How many were removed.
    """
    removed_count = 0
    for path, seen in found.items():
        with contextlib.suppress(OSError):
            state = path.lstat()
            if (state.st_size, state.st_mtime_ns) == seen:
                path.unlink()
                removed_count += 1
    return removed_count


@asynccontextmanager
async def sweeping_parts(
    store: Sweepable,
    *,
    older_than_s: float = STALE_AFTER_S,
    interval_s: float = SWEEP_INTERVAL_S,
    settle_s: float = SETTLE_S,
) -> AsyncIterator[None]:
    """Remove left parts now and then, as long as the block lasts. The first time at once."""
    task = asyncio.create_task(_sweep_again_and_again(store, older_than_s, interval_s, settle_s))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _sweep_again_and_again(
    store: Sweepable, older_than_s: float, interval_s: float, settle_s: float
) -> None:
    while True:
        try:
            removed_count = await store.sweep_parts(older_than_s, settle_s)
        except InterviewError as error:
            logger.warning("Left parts of the store were not removed", extra={"reason": error.reason})
        else:
            if removed_count:
                logger.info("Removed left parts of the store", extra={"removed_count": removed_count})
        await asyncio.sleep(interval_s)
