"""Folders for work on this machine. Its disk may be full: that is the operator's trouble, and it may pass."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.errors import InterviewError
from chassis.full_disk import folder_full, is_full
from chassis.scratch import scratch_folder


@contextmanager
def work_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that lives as long as the block.

    Args:
        parent: Where; None: the system's temporary folder.

    Raises:
        UnavailableError: The disk is full, now or within the block (`WORK_FOLDER_FULL`).
    """
    try:
        with scratch_folder(parent) as folder:
            yield folder
    except (OSError, InterviewError) as error:
        if is_full(error) or is_full(error.__cause__):
            raise folder_full() from error
        raise


def has_room(parent: Path | None, needed_bytes: int) -> bool:
    """Tell whether a disk has room for work again. Blocking.

    Args:
        parent: A folder on it. None: the system's temporary folder.
        needed_bytes: What the largest work takes. On a small disk half of it is enough.
    """
    usage = shutil.disk_usage(parent or tempfile.gettempdir())
    return usage.free >= min(needed_bytes, usage.total // 2)
