"""A backup that is taken while sessions run brings them all back, on a machine that lost everything."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.postgres_server import GivenServer, binaries_folder
from tests.world import COMPLETED, World, running

pytestmark = pytest.mark.anyio


def back_up_sqlite(state: Path, copy: Path) -> None:
    """As docs/operations.md says: SQLite's own backup, since the newest rows stand in a file beside it."""
    with closing(sqlite3.connect(state)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def copy_postgres(source_url: str, target_url: str, dump: Path) -> None:
    """As docs/operations.md says: a dump while the orchestrator works, read into an empty database."""
    folder = binaries_folder()
    if folder is None:
        pytest.skip("pg_dump and psql are not on this machine")
    for command in (
        [folder / "pg_dump", "--no-owner", "--file", dump, source_url],
        [folder / "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file", dump, target_url],
    ):
        subprocess.run([str(part) for part in command], check=True, timeout=120, stdout=subprocess.DEVNULL)


async def one_done_and_one_at_work(world: World) -> tuple[str, str]:
    done = await world.create()
    await world.until(done, COMPLETED)
    world.stages.seconds = 600.0
    world.stages.calls.clear()
    at_work = await world.create()
    await world.until_running(at_work, "transcribe")
    return done, at_work


async def test_a_backup_of_sqlite_and_the_store_loses_no_session(tmp_path: Path) -> None:
    site, backup = tmp_path / "site", tmp_path / "backup"
    site.mkdir()
    backup.mkdir()
    async with running(site) as world:
        done, at_work = await one_done_and_one_at_work(world)
        document = await world.result(done)
        back_up_sqlite(site / "state.sqlite", backup / "state.sqlite")
        shutil.copytree(site / "store", backup / "store")  # Second: it then holds all that the state names.
    shutil.rmtree(site)

    shutil.copytree(backup, site)
    async with running(site) as world:
        await world.until(at_work, COMPLETED)

        assert await world.result(done) == document
        assert (await world.result(at_work))["status"] == "completed"


@pytest.mark.chaos
async def test_a_dump_of_postgres_and_the_store_loses_no_session(
    tmp_path: Path, postgres: GivenServer
) -> None:
    site, backup = tmp_path / "site", tmp_path / "backup"
    site.mkdir()
    first, second = postgres.create_database(), postgres.create_database()
    async with running(site, database_url=first, heartbeat_interval_s=0.2, dead_after_s=1.0) as world:
        done, at_work = await one_done_and_one_at_work(world)
        document = await world.result(done)
        await asyncio.to_thread(copy_postgres, first, second, tmp_path / "dump.sql")
        shutil.copytree(site, backup)
    shutil.rmtree(site)

    shutil.copytree(backup, site)
    async with running(site, database_url=second, heartbeat_interval_s=0.2, dead_after_s=1.0) as world:
        await world.until(at_work, COMPLETED)

        assert await world.result(done) == document
