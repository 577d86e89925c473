"""Taking over from a dead replica hangs on a private call of the engine, which the pinned version has."""

from __future__ import annotations

import asyncio
import inspect
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path

import pytest
from dbos import DBOS

from tests.folders import ROOT
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio

PENDING = "UPDATE workflow_status SET status = 'PENDING', executor_id = 'dead', output = NULL"
EXECUTOR = "SELECT executor_id, status FROM workflow_status WHERE workflow_uuid = ?"


def test_the_installed_version_is_the_pinned_one() -> None:
    pinned = re.search(r"^dbos==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)

    assert pinned is not None
    assert version("dbos") == pinned[1]


def test_the_private_call_takes_the_names_of_dead_replicas() -> None:
    # A version without it would start, and fail over only in words. `durable/engine.py` calls it.
    assert list(inspect.signature(DBOS._recover_pending_workflows).parameters) == ["executor_ids"]


async def test_it_hands_a_dead_replicas_session_to_a_living_one(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)
        await asyncio.to_thread(leave_to_the_dead, tmp_path / "state.sqlite")
        assert (await world.get(session_id)).state != COMPLETED
        for _ in range(2):  # Two replicas may find the same dead one.
            await asyncio.to_thread(DBOS._recover_pending_workflows, ["dead"])
        await world.until(session_id, COMPLETED)
        await world.result(session_id)
        calls = dict(world.stages.calls)

    with sqlite3.connect(tmp_path / "state.sqlite") as database:
        found = database.execute(EXECUTOR, (session_id,)).fetchone()
    assert found == ("local", "SUCCESS")
    assert set(calls.values()) == {1}, "a finished stage was run again"


def leave_to_the_dead(path: Path) -> None:
    """Make every session one that a replica of this name was at when it died."""
    with sqlite3.connect(path) as database:
        database.execute(PENDING)
