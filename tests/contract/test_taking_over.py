"""Taking over from a dead replica hangs on a private call of the engine, which the pinned version has."""

from __future__ import annotations

import asyncio
import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import sqlalchemy
from dbos import DBOS

from tests.folders import ROOT
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio

PENDING = "UPDATE {} SET status = 'PENDING', executor_id = 'dead', output = NULL"
EXECUTOR = "SELECT executor_id, status FROM {} WHERE workflow_uuid = :session_id"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'state.sqlite'}"


def test_the_installed_version_is_the_pinned_one() -> None:
    pinned = re.search(r"^dbos==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)

    assert pinned is not None
    assert version("dbos") == pinned[1]


def test_the_private_call_takes_the_names_of_dead_replicas() -> None:
    # A version without it would start, and fail over only in words. `durable/engine.py` calls it.
    assert list(inspect.signature(DBOS._recover_pending_workflows).parameters) == ["executor_ids"]


async def test_it_hands_a_dead_replicas_session_to_a_living_one(tmp_path: Path, database_url: str) -> None:
    async with running(tmp_path, database_url=database_url, executor_id="local") as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)
        await asyncio.to_thread(ask, database_url, PENDING)
        for _ in range(2):  # Two replicas may find the same dead one.
            await asyncio.to_thread(DBOS._recover_pending_workflows, ["dead"])
        await world.until(session_id, COMPLETED)
        await world.result(session_id)
        calls = dict(world.stages.calls)

    assert ask(database_url, EXECUTOR, session_id=session_id) == [("local", "SUCCESS")]
    assert set(calls.values()) == {1}, "a finished stage was run again"


def ask(database_url: str, statement: str, **values: str) -> list[tuple[str, ...]]:
    """Run a statement on the engine's table of workflows."""
    url = sqlalchemy.make_url(database_url)
    on_postgres = url.drivername.startswith("postgresql")
    table = "dbos.workflow_status" if on_postgres else "workflow_status"
    engine = sqlalchemy.create_engine(url.set(drivername="postgresql+psycopg") if on_postgres else url)
    try:
        with engine.begin() as connection:
            found = connection.execute(sqlalchemy.text(statement.format(table)), values)
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        engine.dispose()
