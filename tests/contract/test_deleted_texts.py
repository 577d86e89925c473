"""What a deleted session said stands nowhere in the orchestrator's database files."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.durable.sqlite_file import ForgettingConnection, empty_log, prepare_sqlite
from tests.waiting import until
from tests.world import COMPLETED, World, running

pytestmark = pytest.mark.anyio

ROUND_COUNT = 10
NAME, QUESTION, FILE_NAME = "Xanthippe Quetzal", "Why zymurgy?", "vexing-waltz.mp4"


async def create_named(world: World) -> str:
    request = world.request()
    request.candidate_name = NAME
    request.answers[0].question, request.answers[0].file_name = QUESTION, FILE_NAME
    await world.call(world.stub.CreateSession, request)
    return str(request.session_id)


def files_that_hold(folder: Path, *texts: str) -> list[str]:
    files = sorted(folder.glob("state.sqlite*"))
    assert files
    return [f"{file.name}: {text}" for file in files for text in texts if text.encode() in file.read_bytes()]


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "at work"])
async def test_a_deleted_session_can_not_be_read_in_the_database_files(tmp_path: Path, ended: bool) -> None:
    async with running(tmp_path) as world:
        kept = await world.create()
        await world.until(kept, COMPLETED)
        if not ended:
            world.stages.seconds = 30
        deleted = await create_named(world)
        if ended:
            await world.until(deleted, COMPLETED)
            await world.do("RetrySession", deleted)
            await world.until(deleted, COMPLETED)
        else:
            await world.until_running(deleted, "vision")
        assert files_that_hold(tmp_path, NAME)

        await world.do("DeleteSession", deleted)

        assert files_that_hold(tmp_path, NAME, QUESTION, FILE_NAME, deleted) == []
        assert (await world.get(kept)).state == COMPLETED


async def test_a_log_that_a_reader_holds_up_is_emptied_once_it_has_read(tmp_path: Path) -> None:
    async with running(tmp_path, sweep_interval_s=0.5) as world:
        deleted = await create_named(world)
        await world.until(deleted, COMPLETED)
        reader = sqlite3.connect(tmp_path / "state.sqlite", check_same_thread=False)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM workflow_status").fetchone()

        await world.do("DeleteSession", deleted)
        assert files_that_hold(tmp_path, NAME), "the reader was not in its way"
        reader.close()

        await until(lambda: files_that_hold(tmp_path, NAME, QUESTION, FILE_NAME, deleted) == [])


def test_what_is_deleted_is_overwritten_whatever_sqlite_was_built_with(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "state.sqlite", factory=ForgettingConnection)

    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    connection.close()


def test_a_log_that_a_killed_process_left_is_emptied_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    prepare_sqlite(f"sqlite:///{path}")
    left = sqlite3.connect(path)
    left.execute("CREATE TABLE t (name TEXT)")
    left.execute("INSERT INTO t VALUES (?)", (NAME,))
    left.execute("DELETE FROM t")
    left.commit()
    assert files_that_hold(tmp_path, NAME) or (tmp_path / "state.sqlite-wal").stat().st_size

    prepare_sqlite(f"sqlite:///{path}")

    assert (tmp_path / "state.sqlite-wal").stat().st_size == 0
    left.close()


def test_writers_get_their_turn_while_the_log_waits_for_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    url = f"sqlite:///{path}"
    prepare_sqlite(url)
    with closing(sqlite3.connect(path, timeout=0)) as writer, closing(sqlite3.connect(path)) as reader:
        writer.execute("CREATE TABLE t (name TEXT)")
        writer.commit()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        # On a busy machine a writer may miss the short moments in which it would be kept out.
        for _ in range(ROUND_COUNT):
            emptying = threading.Thread(target=empty_log, args=(url,))
            emptying.start()
            if had_a_turn := turn_after_being_kept_out(writer, emptying):
                break
        reader.close()
        emptying.join()

    assert had_a_turn


def turn_after_being_kept_out(writer: sqlite3.Connection, emptying: threading.Thread) -> bool:
    """Tell whether a writer is kept out while the log is emptied, and then has its turn meanwhile."""
    kept_out = False
    while emptying.is_alive():
        if not written(writer):
            kept_out = True
        elif kept_out and emptying.is_alive():
            return True
    return False


def written(writer: sqlite3.Connection) -> bool:
    """Write something, or tell that another one is at it."""
    try:
        writer.execute("INSERT INTO t VALUES (?)", (NAME,))
    except sqlite3.OperationalError:
        return False
    writer.commit()
    return True
