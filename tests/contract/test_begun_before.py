"""A database that an older build left in mid-work: this build finishes its sessions."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.workflow import FETCH, RESERVED_LATER, stages_of
from tests.folders import ROOT
from tests.world import COMPLETED, World, ended, running

pytestmark = pytest.mark.anyio

BEGUN_BEFORE = ROOT / "tests" / "data" / "begun_before"
ENDED, IN_WORK, WAITING = "1" * 32, "2" * 32, "3" * 32


def lay_out(folder: Path) -> None:
    """Put the older build's store and database where a new orchestrator looks for them."""
    shutil.copytree(BEGUN_BEFORE / "store", folder / "store")
    dump = (BEGUN_BEFORE / "state.sql").read_text().replace("{STORE}", (folder / "store").as_uri())
    database = sqlite3.connect(folder / "state.sqlite")
    database.executescript(dump)
    database.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    await asyncio.to_thread(lay_out, tmp_path)
    async with running(tmp_path) as running_world:
        yield running_world
        # The loop ends with the test. A child that still decodes would outlive it, with its pipe.
        for session_id in (IN_WORK, WAITING):
            await running_world.until(session_id, COMPLETED)


async def test_a_session_that_stood_in_mid_work_finishes_and_repeats_no_finished_stage(world: World) -> None:
    kept = {path.name: path.stat().st_mtime_ns for path in outputs_of(world, IN_WORK)}
    session = await world.until(IN_WORK, COMPLETED)
    document = await world.result(IN_WORK)
    now = {path.name: path.stat().st_mtime_ns for path in outputs_of(world, IN_WORK)}

    assert [entry["assessment"]["method"] for entry in document["results"]] == ["baseline"] * 2
    assert len(session.answers) == 2
    # What was there is there untouched, and only what was not finished came to it.
    assert {name: now[name] for name in kept} == kept
    unfinished = {"translate", "assess", *RESERVED_LATER} - {FETCH}
    assert {name.partition("-")[0] for name in now.keys() - kept.keys()} == unfinished


async def test_a_session_that_waited_for_its_turn_is_taken_through_every_stage(world: World) -> None:
    await world.until(WAITING, COMPLETED)
    document = await world.result(WAITING)

    stages = document["results"][0]["stages"]
    assert list(stages) == list(stages_of(linked=False))
    assert {stage["state"] for stage in stages.values()} == {"done"}


async def test_an_ended_session_is_read_and_its_waiting_reassessment_is_made(world: World) -> None:
    assert (await world.get(ENDED)).state == COMPLETED
    version = await ended(world, ENDED, 2)

    assert (version.state, version.rubric_id) == (COMPLETED, "technical")
    # Only the assessor was asked on its behalf; both other sessions may ask theirs at the same time.
    assert {path.name.partition("-")[0] for path in outputs_of(world, ENDED)} == {
        "extract", "transcribe", "translate", "assess", "vision", "speaker",
    }  # fmt: skip


async def test_each_stage_of_the_older_build_is_asked_for_once_at_most(world: World) -> None:
    for session_id in (IN_WORK, WAITING):
        await world.until(session_id, COMPLETED)
    await ended(world, ENDED, 2)

    # Answers 1 and 2 in mid-work: translated and assessed; the one that waited: everything; judged again: 1.
    assert world.stages.calls == {"transcribe": 1, "vision": 1, "speaker": 1, "translate": 3, "assess": 4}


def outputs_of(world: World, session_id: str) -> list[Path]:
    return [
        path
        for path in (world.folder / "store" / "sessions" / session_id / "outputs").rglob("*")
        if path.is_file()
    ]
