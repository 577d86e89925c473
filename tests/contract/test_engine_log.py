"""The workflow engine writes into the process's own log, and what is not an error is not one there."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from tests.world import running

pytestmark = pytest.mark.anyio
NAME = "Wilhelmina Quackenbush"


async def test_a_session_that_is_deleted_at_work_is_no_error_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as world:
        world.stages.seconds = 30
        session_id = await world.create()
        await world.until_running(session_id, "vision")
        await world.do("DeleteSession", session_id)
        # The engine's own watcher meets the deletion within a second.
        await asyncio.sleep(1.5)

    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "Traceback" not in capfd.readouterr().err


async def test_what_the_engine_has_to_say_goes_into_our_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path):
        logging.getLogger("dbos").error("the disk is full")

    assert "the disk is full" in caplog.messages
    assert "the disk is full" not in capfd.readouterr().err


async def test_a_step_that_is_stopped_with_its_engine_leaves_no_name_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as world:
        world.stages.seconds = 30
        session_id = await world.create(candidate_name=NAME)
        await world.until_running(session_id, "vision")

    assert NAME not in caplog.text
    assert NAME not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "message",
    [
        f"Asyncio task stopped for step functools.partial(<function run>, (name: '{NAME}'\n))",
        f"Error serializing object: {{'request': '{NAME}'}}",
    ],
)
async def test_what_the_engine_says_of_data_is_cut_off_also_after_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, message: str
) -> None:
    async with running(tmp_path):
        pass
    logging.getLogger("dbos").error(message)

    assert message[:20] in caplog.text
    assert NAME not in caplog.text
