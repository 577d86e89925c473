"""What calls leave in a folder."""

from __future__ import annotations

from pathlib import Path

import anyio

PATIENCE_S = 5.0
"""A cancelled call's folder goes when its thread has ended, shortly after the server has stopped."""


async def left_in(folder: Path) -> list[str]:
    """Return the names that stay in a folder, after waiting a while for it to become empty."""
    with anyio.move_on_after(PATIENCE_S):
        while any(folder.iterdir()):
            await anyio.sleep(0.05)
    return sorted(path.name for path in folder.iterdir())
