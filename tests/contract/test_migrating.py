"""Tables are made by a command, so that the running process needs no right to change them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

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


def commands(*of: tuple[str, ...]) -> list[subprocess.CompletedProcess[str]]:
    """Run several side by side: each has a database of its own."""
    with ThreadPoolExecutor(len(of)) as pool:
        return list(pool.map(lambda arguments: command(*arguments), of))


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
    assert made.returncode == 0, made.stdout

    async with running(tmp_path, database_url=postgres_url, migrate_at_start=False) as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)


def test_the_command_says_what_is_wrong_and_leaves_no_traceback(tmp_path: Path) -> None:
    away, wrong, cut_short = commands(
        (f"postgresql://nobody@/none?host={tmp_path}", "migrate"),
        ("sqlite://", "migrat"),
        (f"sqlite:///{tmp_path / 'state.sqlite'}", "migrate", "--creat"),
    )

    assert (away.returncode, wrong.returncode, cut_short.returncode) == (1, 2, 2)
    assert not (tmp_path / "state.sqlite").exists()
    assert "DATABASE_UNAVAILABLE" in away.stdout
    assert "python -m orchestrator migrate" in wrong.stdout
    assert "Traceback" not in away.stderr + wrong.stderr + away.stdout + wrong.stdout


def test_the_command_says_whether_something_was_to_do(tmp_path: Path, postgres_url: str) -> None:
    sqlite_url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    (tmp_path / "state.sqlite").touch()
    urls = (postgres_url, sqlite_url)
    firsts, seconds = (commands(*((url, "migrate") for url in urls)) for _ in range(2))
    for first, second in zip(firsts, seconds, strict=True):
        assert [json.loads(ended.stdout.splitlines()[-1])["message"] for ended in (first, second)] == [
            "the tables were brought up to date",
            "the tables are up to date already",
        ]


def test_a_database_whose_name_is_misspelt_is_made_on_demand_only(tmp_path: Path, postgres_url: str) -> None:
    sqlite_url = f"sqlite:///{tmp_path / 'new' / 'state.sqlite'}"
    misspelt = sqlalchemy.make_url(postgres_url)
    misspelt = misspelt.set(database=f"{misspelt.database}_misspelt")
    postgres_misspelt = misspelt.render_as_string(hide_password=False)
    refused = commands((sqlite_url, "migrate"), (postgres_misspelt, "migrate"))
    assert [ended.returncode for ended in refused] == [1, 1]
    assert all("DATABASE_MISSING" in ended.stdout for ended in refused)
    assert "--create" in refused[0].stdout
    assert not (tmp_path / "new").exists()
    assert misspelt.database not in databases(postgres_url)

    made = commands((sqlite_url, "migrate", "--create"), (postgres_misspelt, "migrate", "--create"))
    assert [ended.returncode for ended in made] == [0, 0], [ended.stdout for ended in made]
    assert not migrate(sqlite_url), "all tables were made at once"
    assert not migrate(postgres_misspelt), "all tables were made at once"


def databases(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute("SELECT datname FROM pg_database")]


@pytest.mark.parametrize("arguments", [("--help",), ("migrate", "--help")])
def test_help_is_text_for_people(arguments: tuple[str, ...]) -> None:
    shown = command("sqlite://", *arguments)

    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: python -m orchestrator")
    assert "CRITICAL" not in shown.stdout + shown.stderr


async def test_a_process_that_may_not_migrate_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError):
        await start(tmp_path, f"sqlite:///{tmp_path / 'misspelt' / 'state.sqlite'}")

    assert not (tmp_path / "misspelt").exists()


def test_tables_of_the_build_before_are_brought_up_to_date(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orch_executor (id text PRIMARY KEY, seen timestamptz NOT NULL)")
        connection.execute("INSERT INTO orch_executor VALUES ('a', now())")
    migrate(postgres_url)

    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT id, incarnation FROM orch_executor").fetchall() == [("a", "")]
