"""Folders that tests look into: the checkout, and what calls leave in a folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

import anyio.to_thread

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

PATIENCE_S = 5.0
"""A cancelled call's folder goes when its thread has ended, shortly after the server has stopped."""


async def left_in(folder: Path) -> list[str]:
    """Return the names that stay in a folder, after waiting a while for it to become empty."""
    return await anyio.to_thread.run_sync(_left_in, folder)


def _left_in(folder: Path) -> list[str]:
    deadline_s = time.monotonic() + PATIENCE_S
    while (left := sorted(path.name for path in folder.iterdir())) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return left


def files_below(folder: Path) -> list[Path]:
    """Return the files below a folder, also while somebody removes some."""
    return sorted(Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
