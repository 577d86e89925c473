"""Folders that a process needs at its start. Where one can't be had, it says which setting to change."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.errors import PreconditionError


@contextmanager
def needed_folder(variable: str) -> Iterator[None]:
    """Make or open a folder, or files in it, in the block.

    Args:
        variable: The setting that names the folder.

    Raises:
        PreconditionError: It can't be made or used (`FOLDER_UNUSABLE`).
    """
    try:
        yield
    except OSError as error:
        raise folder_unusable(error.filename, error.strerror or type(error).__name__, variable) from None


def folder_unusable(path: object, trouble: str, variable: str) -> PreconditionError:
    """Return the error of a folder or file that a process can't make or use.

    Args:
        path: The folder or file.
        trouble: What is wrong with it, in the system's words.
        variable: The setting that names it.
    """
    return PreconditionError(
        f"{path} can't be made or used: {trouble}. Mount a folder there (for temporary files: at /tmp) that"
        f" user {os.getuid()} may write, or name another one in {variable}.",
        reason="FOLDER_UNUSABLE",
    )


def temporary_folder() -> Path:
    """Return the system's folder for temporary files.

    Raises:
        PreconditionError: There is none that this process may write (`FOLDER_UNUSABLE`).
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise folder_unusable("A temporary file", "no folder for such files is writable", "TMPDIR") from None
