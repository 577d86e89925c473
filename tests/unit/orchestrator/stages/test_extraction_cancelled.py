"""An extraction that is cancelled at any moment takes its decoder along, and leaves nothing open."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from pathlib import Path

import pytest

from chassis.store import MediaStore
from orchestrator.stages.extract import ExtractionLimits, Extractor, ExtractRequest
from orchestrator.stages.work_folder import work_folder
from tests.fakes.recording import make_recording

pytestmark = pytest.mark.anyio

LIMITS = ExtractionLimits(
    max_media_bytes=10_000_000,
    max_duration_s=60.0,
    max_pixel_count=3840 * 2160,
    max_track_count=4,
    max_memory_bytes=2 << 30,
    timeout_s=60.0,
)
MOMENT_COUNT = 16
"""Turns of the loop between its child's start and the cancelling. Its pipe is connected within them."""


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


async def started(others: set[str]) -> None:
    """Wait turn by turn until there is another child."""
    async with asyncio.timeout(60):
        while True:
            if set(children()) - others:
                return
            await asyncio.sleep(0)


async def ended(others: set[str]) -> None:
    """Wait until there is no other child."""
    async with asyncio.timeout(60):
        while True:
            if set(children()) <= others:
                return
            await asyncio.sleep(0.01)


async def test_a_cancelled_extraction_leaves_neither_child_nor_pipe(tmp_path: Path) -> None:
    make_recording(tmp_path / "a.mp4", seconds=1.0)
    decoder = tmp_path / "sleeps.py"
    decoder.write_text("import time\ntime.sleep(600)\n")
    extractor = Extractor(MediaStore(tmp_path.as_uri()), LIMITS, work_folder, decoder)
    request = ExtractRequest("a.mp4", "out.wav")
    others = set(children())
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        for turn_count in range(MOMENT_COUNT):
            extraction = asyncio.create_task(extractor.extract(request))
            await started(others)
            for _ in range(turn_count):
                await asyncio.sleep(0)
            extraction.cancel()
            await asyncio.sleep(0)
            extraction.cancel()  # The engine does so: who waits for the step cancels it too.
            await asyncio.gather(extraction, return_exceptions=True)
            await ended(others)
            del extraction
            gc.collect()

    assert [str(one.message) for one in left_open] == []
