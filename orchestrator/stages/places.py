"""Places at the stages: how many answers a stage works on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Places(Protocol):
    """The places of all stages."""

    def __getitem__(self, stage: str, /) -> AbstractAsyncContextManager[Any]:
        """Return what holds a place of a stage while it is entered. Entering it waits for a free one."""


def own_places(counts: Mapping[str, int]) -> Places:
    """Return places of this process alone, so many a stage."""
    return {stage: asyncio.Semaphore(count) for stage, count in counts.items()}
