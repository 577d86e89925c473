"""The sweep, on a fake engine and a real folder: what goes, and above all what stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.errors import UnavailableError
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.erasing import Erasure
from orchestrator.retention import LegalHolds, Retention
from orchestrator.sessions import SessionRow
from orchestrator.settings import RetentionPeriods
from orchestrator.sweeping import Sweep
from orchestrator.tombstones import Receipt, Tombstones
from tests.fakes.audit import FakeAudit
from tests.fakes.engine import FakeEngine
from tests.folders import files_below
from tests.waiting import until

pytestmark = pytest.mark.anyio
KNOWN, UNKNOWN = "a" * 32, "b" * 32
HOUR_S = 3600.0


class Bench:
    """A session and an upload without one, swept at times of the test's choice."""

    def __init__(self, folder: Path, media: MediaStore | None = None) -> None:
        self.folder, self.now_s = folder, 0.0
        self.media = media or MediaStore(folder.as_uri())
        self.tombstones = Tombstones(self.media)
        request = orchestrator_pb2.CreateSessionRequest(session_id=KNOWN)
        self.engine = FakeEngine(SessionRow(request, "completed", 1.0))
        engine = cast(Any, self.engine)
        self.audit = FakeAudit()
        erasure = Erasure(engine, self.media, self.tombstones, self.audit, look_again_s=())
        self.sweep = Sweep(
            engine,
            self.media,
            self.tombstones,
            erasure,
            Retention(engine, erasure, LegalHolds(self.media), RetentionPeriods(), self.audit),
            interval_s=0.01,
            orphan_s=HOUR_S,
            monotonic=lambda: self.now_s,
        )

    async def put(self, session_id: str, name: str = "media/1.mp4") -> None:
        await self.media.put_bytes(f"sessions/{session_id}/{name}", b"pictures")

    async def at(self, now_s: float) -> list[str]:
        self.now_s = now_s
        await self.sweep.once()
        return self.left()

    def left(self) -> list[str]:
        root = self.folder / "sessions"
        return [str(path.relative_to(root)) for path in files_below(root)]


async def test_what_the_sweep_does_is_written_down_as_its_own(bench: Bench) -> None:
    await bench.media.put_bytes(f"deleting/{KNOWN}", b"")
    await bench.at(0)

    assert {(action, who) for action, _, who in bench.audit.told} == {("session.delete", "system:sweep")}


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    await made.put(KNOWN)
    return made


async def test_recordings_whose_session_never_came_go_after_a_while(bench: Bench) -> None:
    await bench.put(UNKNOWN)

    assert len(await bench.at(0)) == 2
    assert len(await bench.at(HOUR_S - 1)) == 2
    assert await bench.at(HOUR_S) == [f"{KNOWN}/media/1.mp4"]
    assert await bench.at(9 * HOUR_S) == [f"{KNOWN}/media/1.mp4"]


@pytest.mark.parametrize("name", ["media/1.mp4", "media/2.mp4"], ids=["the same again", "one more"])
async def test_an_upload_that_goes_on_begins_its_while_again(bench: Bench, name: str) -> None:
    await bench.put(UNKNOWN)
    await bench.at(0)
    await asyncio.sleep(0.05)  # The folder's clock must have moved.
    await bench.put(UNKNOWN, name)

    assert f"{UNKNOWN}/media/1.mp4" in await bench.at(HOUR_S)
    assert f"{UNKNOWN}/media/1.mp4" in await bench.at(2 * HOUR_S - 1)
    assert await bench.at(2 * HOUR_S) == [f"{KNOWN}/media/1.mp4"]


async def test_recordings_whose_session_comes_late_stay(bench: Bench) -> None:
    await bench.put(UNKNOWN)
    await bench.at(0)
    bench.engine.rows[UNKNOWN] = bench.engine.rows[KNOWN]

    assert len(await bench.at(9 * HOUR_S)) == 2
    del bench.engine.rows[UNKNOWN]
    assert len(await bench.at(9 * HOUR_S + 1)) == 2


async def test_what_was_written_for_a_deleted_session_goes_at_once(bench: Bench) -> None:
    await bench.put(UNKNOWN)
    await bench.tombstones.begin(UNKNOWN, Receipt((), 1.0))
    await bench.tombstones.finish(UNKNOWN)

    assert await bench.at(0) == [f"{KNOWN}/media/1.mp4"]


async def test_a_deletion_that_broke_off_is_finished(bench: Bench) -> None:
    await bench.tombstones.begin(KNOWN, Receipt((), 1.0))

    assert await bench.at(0) == []
    assert bench.engine.rows == {}
    assert "forget" in bench.engine.done


class MovingStore(MediaStore):
    """A store that is away for its first calls."""

    away_count = 3

    async def list(self, prefix: str) -> list[Any]:
        if self.away_count:
            self.away_count -= 1
            raise UnavailableError("It is away.", reason="STORE_UNAVAILABLE")
        return await super().list(prefix)


async def test_a_store_that_is_away_ends_no_sweeping(tmp_path: Path) -> None:
    bench = Bench(tmp_path, MovingStore(tmp_path.as_uri()))
    await bench.put(UNKNOWN)
    await bench.tombstones.begin(UNKNOWN, Receipt((), 1.0))

    sweeping = asyncio.create_task(bench.sweep.run())
    await until(lambda: not bench.left())
    sweeping.cancel()
