"""A replica that was taken for dead, and was only frozen, changes nothing that its successor wrote."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chassis.errors import UnavailableError
from chassis.store import MediaStore
from interview.v1 import transcriber_pb2
from orchestrator.stages.outputs import SessionStore
from orchestrator.workflow import StageRecord
from tests.fakes.stages import a_transcript
from tests.folders import files_below
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio

SESSION_ID = "0" * 32
GIVE_AWAY = "UPDATE dbos.workflow_status SET executor_id = 'successor' WHERE workflow_uuid = %s"


async def test_an_output_that_is_there_stays_and_so_does_how_it_came_about(tmp_path: Path) -> None:
    outputs = SessionStore(MediaStore(tmp_path.as_uri()))
    key = outputs.output_key(SESSION_ID, 1, "transcribe", "ab")
    await outputs.save(key, a_transcript("en"), StageRecord("transcribe", "done", attempt_count=1))
    await outputs.save(key, a_transcript("id"), StageRecord("transcribe", "done", attempt_count=2))
    kept = await outputs.find(key)

    assert (await outputs.load(key, transcriber_pb2.Transcript)).language_code == "en"
    assert kept is not None
    assert kept.attempt_count == 1


class LateStore(MediaStore):
    """Looks before another one writes, and writes after it."""

    async def exists(self, key: str) -> bool:
        return False


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in files_below(folder))


async def test_the_record_of_a_late_writer_does_not_take_the_place_of_the_first_ones(tmp_path: Path) -> None:
    quick, late = (SessionStore(store(tmp_path.as_uri())) for store in (MediaStore, LateStore))
    key = quick.output_key(SESSION_ID, 1, "transcribe", "ab")
    await quick.save(key, a_transcript("en"), StageRecord("transcribe", "done", attempt_count=1))
    names = files_of(tmp_path)
    await late.save(key, a_transcript("id"), StageRecord("transcribe", "done", attempt_count=2))
    kept = await quick.find(key)

    assert kept is not None
    assert kept.attempt_count == 1
    assert (await quick.load(key, transcriber_pb2.Transcript)).language_code == "en"
    assert files_of(tmp_path) == names


class DyingStore(MediaStore):
    """Ends after the record and before the output."""

    async def put_bytes_once(self, key: str, data: bytes) -> bool:
        if key.endswith(".pb"):
            raise UnavailableError("It is away.", reason="STORE_UNAVAILABLE")
        return await super().put_bytes_once(key, data)


async def test_an_output_has_its_own_record_and_not_that_of_one_who_died_before_it(tmp_path: Path) -> None:
    dying, next_one = (SessionStore(store(tmp_path.as_uri())) for store in (DyingStore, MediaStore))
    key = next_one.output_key(SESSION_ID, 1, "transcribe", "ab")
    with pytest.raises(UnavailableError):
        await dying.save(key, a_transcript("en"), StageRecord("transcribe", "done", attempt_count=1))
    await next_one.save(key, a_transcript("id"), StageRecord("transcribe", "done", attempt_count=2))
    kept = await next_one.find(key)

    assert kept is not None
    assert kept.attempt_count == 2


async def test_an_output_of_the_build_before_is_found_with_its_record(tmp_path: Path) -> None:
    store = MediaStore(tmp_path.as_uri())
    outputs = SessionStore(store)
    key = outputs.output_key(SESSION_ID, 1, "transcribe", "ab")
    record = StageRecord("transcribe", "done", attempt_count=3)
    await store.put_bytes(key.removesuffix(".pb") + ".json", json.dumps(record.to_json()).encode())
    await store.put_bytes(key, a_transcript("en").SerializeToString())

    assert await outputs.find(key) == record


async def test_of_two_that_write_a_first_result_at_once_one_wins_and_a_later_run_replaces_it(
    tmp_path: Path,
) -> None:
    quick, late = (SessionStore(store(tmp_path.as_uri())) for store in (MediaStore, LateStore))
    await quick.save_result(SESSION_ID, b"first")
    await late.save_result(SESSION_ID, b"second")
    kept = await quick.load_result(SESSION_ID)
    await quick.save_result(SESSION_ID, b"run again")

    assert kept == b"first"
    assert await quick.load_result(SESSION_ID) == b"run again"


async def test_a_replica_whose_session_was_taken_over_does_not_write_its_result(
    tmp_path: Path, postgres_url: str
) -> None:
    import psycopg

    async with running(tmp_path, database_url=postgres_url, executor_id="frozen", dead_after_s=600) as world:
        world.stages.seconds = 2
        session_id = await world.create()
        await world.until_running(session_id, "speaker")
        connection = await psycopg.AsyncConnection.connect(postgres_url, autocommit=True)
        async with connection:
            # It has a sign of life, so that nobody takes the session from it in turn.
            await connection.execute(
                "INSERT INTO orch_executor (id, seen) VALUES ('successor', now() + '1 h')"
            )
            await connection.execute(GIVE_AWAY, (session_id,))
        await asyncio.sleep(4)  # The stages end in that time, and the result would be written.
        result = tmp_path / "store" / "sessions" / session_id / "result.json"
        assert not result.exists()
        assert (await world.get(session_id)).state != COMPLETED
