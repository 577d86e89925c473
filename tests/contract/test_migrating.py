"""Tables are made by a command, so that the running process needs no right to change them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.errors import PreconditionError
from orchestrator.composition import compose
from orchestrator.durable.schema import migrate
from orchestrator.stages.catalogue import settings_class
from tests.folders import ROOT
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio


def command(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"}
    environment |= {"ORCHESTRATOR_DATABASE_URL": database_url}
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


async def start(folder: Path, database_url: str) -> None:
    settings = settings_class()(
        store_url=(folder / "store").as_uri(), database_url=database_url, migrate_at_start=False
    )
    _, engine = compose(settings)
    try:
        engine.start()
    finally:
        engine.close()


async def test_a_process_that_may_not_migrate_refuses_a_database_without_tables(
    tmp_path: Path, postgres_url: str
) -> None:
    for url in (postgres_url, f"sqlite:///{tmp_path / 'state.sqlite'}"):
        with pytest.raises(PreconditionError, match="orchestrator migrate") as refused:
            await start(tmp_path, url)
        assert refused.value.reason == "DATABASE_NOT_MIGRATED"


async def test_after_the_command_it_works_without_making_tables(tmp_path: Path, postgres_url: str) -> None:
    made = command(postgres_url, "migrate")
    again = command(postgres_url, "migrate")
    assert (made.returncode, again.returncode) == (0, 0), made.stdout + again.stdout

    async with running(tmp_path, database_url=postgres_url, migrate_at_start=False) as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)


def test_the_command_says_what_is_wrong_and_leaves_no_traceback(tmp_path: Path) -> None:
    away = command(f"postgresql://nobody@/none?host={tmp_path}", "migrate")
    wrong = command("sqlite://", "migrat")

    assert (away.returncode, wrong.returncode) == (1, 2)
    assert "DATABASE_UNAVAILABLE" in away.stdout
    assert "python -m orchestrator migrate" in wrong.stdout
    assert "Traceback" not in away.stderr + wrong.stderr + away.stdout + wrong.stdout


def test_tables_of_the_build_before_are_brought_up_to_date(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orch_executor (id text PRIMARY KEY, seen timestamptz NOT NULL)")
        connection.execute("INSERT INTO orch_executor VALUES ('a', now())")
    migrate(postgres_url)

    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT id, incarnation FROM orch_executor").fetchall() == [("a", "")]
