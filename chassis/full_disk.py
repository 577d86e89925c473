"""A disk without room for work on recordings: the operator's trouble, no fault of an input. It may pass."""

from __future__ import annotations

import errno

from chassis.errors import UnavailableError

FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT)
RETRY_AFTER_S = 30.0
"""A quota can't be looked at from outside. So it is tried, and not too often: each time costs work."""


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error says that a disk is full."""
    return isinstance(error, OSError) and error.errno in FULL_ERRNOS


def folder_full() -> UnavailableError:
    """Return the error of a full disk (`WORK_FOLDER_FULL`)."""
    return UnavailableError(
        "The disk for work on recordings is full. Free some space on it. What waits goes on by itself then.",
        reason="WORK_FOLDER_FULL",
        retry_after_s=RETRY_AFTER_S,
    )
