"""Waiting for what a test is about, and not for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60
"""Seconds on a quiet machine, much longer on a busy one."""


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about"
        await asyncio.sleep(0.02)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, in a test that runs no loop."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.02)
