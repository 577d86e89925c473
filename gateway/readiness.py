"""Whether uploads can be taken: what an upload needs is tried, and not only looked at."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from chassis.errors import UnavailableError
from chassis.scratch import scratch_folder
from chassis.store import MediaStore
from gateway.sessions import Orchestrator
from gateway.uploads.forms import spool_errors

PROBE_KEY = "gateway/ready"
PROBE_FRESH_S = 5.0
"""Anybody may ask, so what is written is bounded."""


class Readiness:
    """Tries what an upload needs.

    Args:
        orchestrator: Takes sessions.
        store: Takes recordings.
        spool_dir: Folder for recordings while they arrive. None: the system's.
        min_free_bytes: Space that the spool has to have left: that of the largest recording.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        store: MediaStore,
        spool_dir: Path | None,
        min_free_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._spool_dir = spool_dir
        self._min_free_bytes = min_free_bytes
        self._clock = clock
        self._fresh_until_s = float("-inf")
        self._probing = asyncio.Lock()

    async def check(self) -> None:
        """Return if an upload can be taken.

        Raises:
            InterviewError: It can't. The error says what is missing.
        """
        await self._orchestrator.ping()
        async with self._probing:
            if self._clock() >= self._fresh_until_s:
                await asyncio.to_thread(self._write_to_spool)
                await self._store.put_bytes(PROBE_KEY, b"ready")
                self._fresh_until_s = self._clock() + PROBE_FRESH_S

    def _write_to_spool(self) -> None:
        with spool_errors(), scratch_folder(self._spool_dir) as folder:
            (folder / "ready").write_bytes(b"ready")
            if shutil.disk_usage(folder).free < self._min_free_bytes:
                raise UnavailableError(
                    "The disk for arriving recordings is nearly full. Free some space, and try again.",
                    reason="SPOOL_FULL",
                )
