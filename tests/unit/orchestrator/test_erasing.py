"""Deleting a session, on a fake engine and a real folder: what it removes, and what comes too late."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.errors import PreconditionError, UnavailableError
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.erasing import Erasure, kind_of
from orchestrator.sessions import SessionRow
from orchestrator.stages.outputs import SessionStore
from orchestrator.tombstones import Receipt, Tombstones
from orchestrator.workflow import StageRecord
from tests.fakes.audit import FakeAudit
from tests.fakes.engine import FakeEngine
from tests.fakes.stages import a_transcript
from tests.folders import files_below
from tests.waiting import until

pytestmark = pytest.mark.anyio
SESSION_ID = "0123456789abcdef0123456789abcdef"
OUTPUT = SessionStore.output_key(SESSION_ID, 1, "transcribe", "ab" * 16)
RECORD = StageRecord("transcribe", "done")


class GatedStore(MediaStore):
    """A store whose outputs are written only once the test says so."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.writing, self.go_on = asyncio.Event(), asyncio.Event()

    async def put_bytes_once(self, key: str, data: bytes) -> bool:
        self.writing.set()
        await self.go_on.wait()
        return await super().put_bytes_once(key, data)


class Bench:
    """A session with a recording and a transcript."""

    def __init__(self, folder: Path, state: str = "completed") -> None:
        self.folder = folder
        self.media = MediaStore(folder.as_uri())
        self.tombstones = Tombstones(self.media)
        self.outputs = SessionStore(self.media, self.tombstones)
        answer = orchestrator_pb2.AnswerInput(uri=self.media.uri(f"sessions/{SESSION_ID}/media/1.mp4"))
        request = orchestrator_pb2.CreateSessionRequest(session_id=SESSION_ID, answers=[answer])
        self.row = SessionRow(request, state, 1.0)
        self.engine = FakeEngine(self.row)
        self.audit = FakeAudit()
        self.erasure = Erasure(
            cast(Any, self.engine),
            self.media,
            self.tombstones,
            self.audit,
            settle_timeout_s=0,
            look_again_s=(0.05,) * 600,
        )

    async def fill(self) -> None:
        await self.media.put_bytes(f"sessions/{SESSION_ID}/media/1.mp4", b"moving pictures")
        await self.outputs.save(OUTPUT, a_transcript(), RECORD)
        await self.outputs.save_result(SESSION_ID, b"{}")

    def left(self) -> list[Path]:
        return files_below(self.folder / "sessions")


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    await made.fill()
    return made


async def test_a_deletion_leaves_a_receipt_that_lists_what_went_by_digest(bench: Bench) -> None:
    before_s = time.time()

    receipt = await bench.erasure.delete(bench.row)

    names = {artifact.name: artifact for artifact in receipt.artifacts}
    assert {one.kind for one in receipt.artifacts} == {"media", "transcript", "result", "state"}
    assert names["media/1.mp4"].digest == hashlib.sha256(b"moving pictures").hexdigest()
    assert names["media/1.mp4"].size_bytes == 15
    assert receipt.delete_time_s >= before_s
    assert bench.left() == []
    assert await bench.tombstones.receipt(SESSION_ID) == receipt


async def test_a_deletion_is_written_down_before_it_begins_and_with_its_receipt_when_all_is_gone(
    bench: Bench,
) -> None:
    receipt = await bench.erasure.delete(bench.row)

    assert [told[:2] for told in bench.audit.told] == [("session.delete", "begun"), ("session.delete", "ok")]
    (mark,) = (bench.folder / "deleted").iterdir()
    digest = hashlib.sha256(mark.read_bytes()).hexdigest()
    assert bench.audit.details[-1] == {"receipt_digest": digest, "artifact_count": len(receipt.artifacts)}


async def test_nothing_is_deleted_that_can_not_be_written_down(bench: Bench) -> None:
    before = bench.left()
    bench.audit.failure = UnavailableError("It is full.", reason="DATABASE_UNAVAILABLE")

    with pytest.raises(UnavailableError):
        await bench.erasure.delete(bench.row)

    assert bench.left() == before and SESSION_ID in bench.engine.rows
    assert not await bench.tombstones.stands(SESSION_ID)


async def test_a_deletion_whose_end_could_not_be_written_down_has_not_ended(bench: Bench) -> None:
    await bench.tombstones.begin(SESSION_ID, Receipt((), 5.0))
    bench.audit.failure = UnavailableError("It is full.", reason="DATABASE_UNAVAILABLE")
    with pytest.raises(UnavailableError):
        await bench.erasure.delete(bench.row)
    assert await bench.tombstones.unfinished() == [SESSION_ID]

    bench.audit.failure = None
    await bench.erasure.finish_begun()

    assert [told[:2] for told in bench.audit.told] == [("session.delete", "ok")]
    assert await bench.tombstones.unfinished() == []


async def test_the_mark_of_a_deleted_session_does_not_hold_its_id(bench: Bench) -> None:
    await bench.erasure.delete(bench.row)

    marks = [path for path in bench.folder.rglob("*") if path.is_file()]
    assert len(marks) == 1
    assert SESSION_ID not in marks[0].name and SESSION_ID.encode() not in marks[0].read_bytes()


async def test_an_output_that_comes_after_the_deletion_is_not_kept(bench: Bench) -> None:
    await bench.erasure.delete(bench.row)

    with pytest.raises(PreconditionError) as refused:
        await bench.outputs.save(OUTPUT, a_transcript(), RECORD)
    with pytest.raises(PreconditionError):
        await bench.outputs.save_result(SESSION_ID, b"{}", 2)

    assert refused.value.reason == "SESSION_DELETED"
    assert bench.left() == []


async def test_an_output_whose_writing_the_deletion_overtakes_is_removed_by_its_writer(bench: Bench) -> None:
    gated = GatedStore(bench.folder.as_uri())
    await bench.media.delete(OUTPUT)
    slow = asyncio.create_task(SessionStore(gated, bench.tombstones).save(OUTPUT, a_transcript("id"), RECORD))
    await until(gated.writing.is_set)
    await bench.erasure.delete(bench.row)
    assert bench.left() == []
    # What a stage leaves before its output, as `extract` leaves the sound.
    await bench.media.put_bytes(f"sessions/{SESSION_ID}/outputs/1/extract-ab.wav", b"sound")
    gated.go_on.set()

    with pytest.raises(PreconditionError):
        await slow
    assert bench.left() == []


async def test_what_a_killed_writer_left_is_found_a_little_later(bench: Bench) -> None:
    await bench.erasure.delete(bench.row)
    await bench.media.put_bytes(OUTPUT, b"words")

    await until(lambda: bench.left() == [])


async def test_a_deletion_that_waits_for_a_stage_goes_on_by_itself(bench: Bench) -> None:
    bench.engine.stuck.add(SESSION_ID)
    with pytest.raises(UnavailableError) as stopping:
        await bench.erasure.delete(bench.row)
    assert stopping.value.reason == "SESSION_STOPPING"
    assert SESSION_ID in bench.engine.rows

    bench.engine.stuck.clear()

    await until(lambda: SESSION_ID not in bench.engine.rows and bench.left() == [])
    receipt = await bench.tombstones.receipt(SESSION_ID)
    assert receipt is not None
    assert "media/1.mp4" in {artifact.name for artifact in receipt.artifacts}


async def test_a_deletion_that_waits_looks_again_once_at_a_time(bench: Bench) -> None:
    bench.engine.stuck.add(SESSION_ID)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await bench.erasure.delete(bench.row)
    await until(lambda: bench.engine.settled_count >= 12)
    looking = [task for task in asyncio.all_tasks() if "_look" in repr(task.get_coro())]
    bench.engine.stuck.clear()
    await until(lambda: bench.left() == [] and SESSION_ID not in bench.engine.rows)

    assert len(looking) == 1


async def test_of_two_that_delete_a_session_at_once_the_second_finds_it_deleted(bench: Bench) -> None:
    receipts = await asyncio.gather(*[bench.erasure.delete(bench.row) for _ in range(3)])

    assert [told[1] for told in bench.audit.told].count("begun") == 1
    assert receipts[0].artifacts == receipts[2].artifacts


async def test_a_deletion_that_a_killed_process_began_is_finished_by_another(bench: Bench) -> None:
    await bench.tombstones.begin(SESSION_ID, Receipt((), 5.0))

    await bench.erasure.finish_begun()

    receipt = await bench.tombstones.receipt(SESSION_ID)
    assert receipt is not None and receipt.delete_time_s == 5.0
    output = f"outputs/1/transcribe-{'ab' * 16}"
    digest = hashlib.sha256(a_transcript().SerializeToString(deterministic=True)).hexdigest()[:32]
    # An output's record lies under two names, the second one for the build before.
    records = {f"{output}.{digest}.json", f"{output}.json"}
    assert {one.name for one in receipt.artifacts if one.kind != "state"} == {
        "media/1.mp4",
        "result.json",
        f"{output}.pb",
        *records,
    }
    assert [one.kind for one in receipt.artifacts].count("state") == 1
    assert bench.left() == [] and bench.engine.rows == {}
    assert await bench.tombstones.unfinished() == []


async def test_a_killed_deletions_first_mark_is_enough_to_finish_it(bench: Bench) -> None:
    await bench.media.put_bytes(f"deleting/{SESSION_ID}", b"")

    await bench.erasure.finish_begun()

    assert bench.left() == [] and bench.engine.rows == {}
    assert await bench.tombstones.stands(SESSION_ID)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("media/1.mp4", "media"),
        ("outputs/1/extract-ab.wav", "audio"),
        ("outputs/1/extract-ab.pb", "output"),
        ("outputs/2/assess-ab.json", "transcript"),
        ("outputs/2/vision-ab.pb", "output"),
        ("result.json", "result"),
        ("results/2.json", "result"),
    ],
)
def test_what_is_deleted_is_told_by_its_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind
