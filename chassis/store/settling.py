"""Writes through to the disk what a folder store has written, so that a power cut does not take it back.

The library renames a file to its name once it is whole. Neither its bytes nor its name are on the disk then.
S3 answers only once an object is durable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def settle(root: Path, paths: Iterable[Path]) -> None:
    """Write files, and the folders that lead to them, through to the disk. Blocking.

    Args:
        root: The store's folder. What is above it is not our own.
        paths: The files. One that is gone is left out, and its folder still tells that it is.

    Raises:
        OSError: The disk does not take it.
    """
    files = set(paths)
    folders = {folder for path in files for folder in path.parents if folder.is_relative_to(root)}
    # The deepest first: a folder's entry means nothing before there is something behind it.
    for path in (*files, *sorted(folders, key=lambda folder: -len(folder.parts))):
        _write_through(path)


def _write_through(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # Deleted meanwhile.
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
