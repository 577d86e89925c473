"""Engines that follow each other in one event loop: the second works, whatever the first left there."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from orchestrator.composition import compose
from tests.fakes.stages import FakeStages
from tests.world import COMPLETED, running, settings_of

pytestmark = pytest.mark.anyio


async def test_the_second_engine_has_threads_from_its_start(tmp_path: Path) -> None:
    """Work may be taken up before any call comes in. Without threads it would be claimed and never done."""
    async with running(tmp_path) as world:
        await world.until(await world.create(), COMPLETED)
    _, engine = compose(settings_of(tmp_path), services=FakeStages().services())
    engine.start()
    try:
        thread = await asyncio.to_thread(threading.current_thread)
    finally:
        await asyncio.to_thread(engine.close)

    assert thread is not threading.current_thread()
