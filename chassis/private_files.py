"""Files for this user only: recordings, states, results and logs are nobody else's on the machine."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

UMASK = stat.S_IRWXG | stat.S_IRWXO
"""Takes every permission from the group and from others: folders 0700, files 0600."""
FILE_MODE = stat.S_IRUSR | stat.S_IWUSR


def keep_files_private() -> None:
    """Have this process, and the children it starts, make files and folders that only their user can open.

    Call it first of all. What native libraries and the stores write is covered too.
    """
    os.umask(UMASK)


def keep_from_others(path: Path) -> None:
    """Shut others out of a file or folder that is there already, made by an older version for example.

    Its group keeps what it has: a cluster shares volumes by group. A folder that is everybody's by design,
    such as `/tmp`, and what belongs to another user stay as they are.
    """
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if mode & stat.S_IRWXO and not mode & stat.S_ISVTX:
            path.chmod(stat.S_IMODE(mode) & ~stat.S_IRWXO)


def open_private(path: str, flags: int) -> int:
    """Open a file that only its user can read. Pass it to `open` as `opener`."""
    return os.open(path, flags, FILE_MODE)
