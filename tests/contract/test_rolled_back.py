"""A database that a newer build wrote: what this build doesn't know stands in nobody's way."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interview.v1 import orchestrator_pb2
from tests.world import COMPLETED, World, running

pytestmark = pytest.mark.anyio


def change(database: Path, session_id: str, table: str, column: str, edit: Callable[[str], str]) -> None:
    with sqlite3.connect(database) as connection:
        select = f"SELECT {column} FROM {table} WHERE workflow_uuid = ?"  # noqa: S608
        (kept,) = connection.execute(select, (session_id,)).fetchone()
        update = f"UPDATE {table} SET {column} = ? WHERE workflow_uuid = ?"  # noqa: S608
        connection.execute(update, (edit(kept), session_id))


def newer_request(kept: str) -> str:
    value = json.loads(kept)
    request = find(value, "request")
    request["fieldOfTomorrow"] = {"a": 1}
    request["answers"][0]["fieldOfTomorrow"] = 2
    return json.dumps(value)


def newer_records(kept: str) -> str:
    value = json.loads(kept)
    for records in find(value, "records").values():
        for record in records.values():
            record["field_of_tomorrow"] = True
    return json.dumps(value)


def find(value: Any, name: str) -> Any:
    """Return the value of a name, wherever the engine wraps it."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        value = list(value.values())
    if isinstance(value, list):
        return next((found for item in value if (found := find(item, name)) is not None), None)
    return None


async def listed(world: World) -> dict[str, Any]:
    reply = await world.call(world.stub.ListSessions, orchestrator_pb2.ListSessionsRequest())
    return {session.session_id: session for session in reply.sessions}


async def test_fields_of_a_newer_build_are_passed_over(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)
        database = tmp_path / "state.sqlite"
        await asyncio.to_thread(change, database, session_id, "workflow_input", "inputs", newer_request)
        await asyncio.to_thread(change, database, session_id, "workflow_output", "output", newer_records)

        assert (await listed(world))[session_id].state == COMPLETED
        assert (await world.result(session_id))["status"] == "completed"
        await world.do("RetrySession", session_id)
        await world.until(session_id, COMPLETED)


@pytest.mark.parametrize("table", ["workflow_input", "workflow_output"])
async def test_a_session_that_can_not_be_read_says_so_and_can_be_deleted(tmp_path: Path, table: str) -> None:
    column = {"workflow_input": "inputs", "workflow_output": "output"}[table]
    async with running(tmp_path) as world:
        broken, good = await world.create(), await world.create()
        for session_id in (broken, good):
            await world.until(session_id, COMPLETED)
        await asyncio.to_thread(
            change, tmp_path / "state.sqlite", broken, table, column, lambda _: '{"of": "another time"}'
        )

        sessions = await listed(world)
        assert sessions[good].reason == "" and sessions[good].candidate_name == "Ana"
        assert (sessions[broken].state, sessions[broken].reason) == (COMPLETED, "SESSION_UNREADABLE")
        assert sessions[broken].create_time_s > 1e9
        assert (await world.get(broken)).reason == "SESSION_UNREADABLE"

        await world.do("DeleteSession", broken)
        assert set(await listed(world)) == {good}
