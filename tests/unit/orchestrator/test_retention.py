"""What expires when, what stays, and the receipt of it, on a fake engine and a real folder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.errors import UnavailableError
from chassis.store import MediaStore, StoredObject
from interview.v1 import orchestrator_pb2
from orchestrator.erasing import Erasure
from orchestrator.retention import SHOWN_FOR_S, LegalHolds, Retention
from orchestrator.sessions import SessionRow
from orchestrator.settings import RetentionPeriods
from orchestrator.tombstones import Tombstones
from orchestrator.versions import VersionRow
from tests.fakes.audit import FakeAudit
from tests.fakes.engine import FakeEngine
from tests.folders import files_below

pytestmark = pytest.mark.anyio
SESSION_ID = "c" * 32
DAY_S = 86_400.0
ENDED_S = 1_800_000_000.0
RECORDING, SOUND = "media/1.mp4", "outputs/1/extract-ab.wav"
WORDS = ["outputs/1/transcribe-ab.json", "outputs/1/transcribe-ab.pb", "outputs/1/assess-ab.pb"]
FIGURES = "outputs/1/vision-ab.pb"
RESULTS = ["result.json", "results/2.json"]
ALL = sorted([RECORDING, SOUND, *WORDS, FIGURES, *RESULTS])
WEEK = RetentionPeriods(media_days=7, audio_days=7)


class Bench:
    """A session that has ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sessions" / SESSION_ID
        self.media = MediaStore(folder.as_uri())
        self.tombstones, self.holds = Tombstones(self.media), LegalHolds(self.media)
        request = orchestrator_pb2.CreateSessionRequest(session_id=SESSION_ID)
        self.row = SessionRow(request, "completed", ENDED_S - 60, ENDED_S)
        self.engine = FakeEngine(self.row)
        self.audit = FakeAudit()
        self.erasure = Erasure(
            cast(Any, self.engine), self.media, self.tombstones, self.audit, look_again_s=()
        )

    async def after(self, days: float, periods: RetentionPeriods) -> list[str]:
        """Look so many days after the session's end, and return what is left of it."""
        retention = Retention(
            cast(Any, self.engine),
            self.erasure,
            self.holds,
            periods,
            self.audit,
            now=lambda: ENDED_S + days * DAY_S,
        )
        folders = defaultdict(set)
        for item in await self.media.list("sessions"):
            folders[item.key.split("/")[1]].add(item)
        await retention.once({session_id: frozenset(content) for session_id, content in folders.items()})
        left = files_below(self.folder)
        return sorted(str(path.relative_to(self.folder)) for path in left)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    for name in ALL:
        await made.media.put_bytes(f"sessions/{SESSION_ID}/{name}", name.encode())
    return made


async def test_recordings_and_their_sound_go_after_their_week_and_no_sooner(bench: Bench) -> None:
    assert await bench.after(6.99, WEEK) == ALL
    assert await bench.after(7, WEEK) == sorted([*WORDS, FIGURES, *RESULTS])
    assert SESSION_ID in bench.engine.rows

    receipt = await bench.tombstones.expired(SESSION_ID)
    assert [(one.kind, one.name) for one in receipt] == [("media", RECORDING), ("audio", SOUND)]
    assert all(len(one.digest) == 64 for one in receipt)


async def test_what_expires_is_written_down_by_kind_and_digest(bench: Bench) -> None:
    await bench.after(7, WEEK)

    assert [told[:2] for told in bench.audit.told] == [("session.expire", "begun"), ("session.expire", "ok")]
    told = bench.audit.details[-1]
    assert (told["media_count"], told["audio_count"], len(str(told["receipt_digest"]))) == (1, 1, 64)


async def test_the_audit_log_has_its_time_unless_a_session_is_kept_come_what_may(bench: Bench) -> None:
    month = RetentionPeriods(audit_days=30)
    await bench.after(0, RetentionPeriods())
    await bench.holds.set(SESSION_ID, held=True)
    await bench.after(0, month)
    assert bench.audit.pruned_after_s == []

    await bench.holds.set(SESSION_ID, held=False)
    await bench.after(0, month)
    assert bench.audit.pruned_after_s == [30 * DAY_S]


async def test_words_go_with_the_results_that_quote_them(bench: Bench) -> None:
    assert await bench.after(30, RetentionPeriods(transcript_days=30)) == sorted([RECORDING, SOUND, FIGURES])


async def test_a_session_that_has_had_its_time_goes_as_a_whole_and_is_not_accepted_again(
    bench: Bench,
) -> None:
    await bench.after(7, WEEK)
    assert await bench.after(90, RetentionPeriods(media_days=7, audio_days=7, result_days=90)) == []

    assert bench.engine.rows == {}
    receipt = await bench.tombstones.receipt(SESSION_ID)
    assert receipt is not None
    assert {one.name for one in receipt.artifacts} == {*ALL, "session"}, "what expired before is listed too"
    kept = [path for path in bench.folder.parents[1].rglob("*") if path.is_file()]
    assert len(kept) == 1, "the mark, and nothing else"


async def test_nothing_expires_that_no_period_is_set_for(bench: Bench) -> None:
    assert await bench.after(10_000, RetentionPeriods()) == ALL


async def test_a_legal_hold_keeps_everything_until_it_is_lifted(bench: Bench) -> None:
    everything = RetentionPeriods(1, 1, 1, 1)
    await bench.holds.set(SESSION_ID, held=True)
    assert await bench.after(10, everything) == ALL

    await bench.holds.set(SESSION_ID, held=False)
    assert await bench.after(10, everything) == []


async def test_a_hold_is_shown_at_once_here_and_soon_elsewhere(tmp_path: Path) -> None:
    now_s = 0.0
    store = MediaStore((tmp_path / "store").as_uri())
    here, elsewhere = (LegalHolds(store, monotonic=lambda: now_s) for _ in range(2))
    assert [await one.shown(SESSION_ID) for one in (here, elsewhere)] == [False, False]

    await here.set(SESSION_ID, held=True)

    assert [await one.shown(SESSION_ID) for one in (here, elsewhere)] == [True, False]
    now_s = SHOWN_FOR_S
    assert await elsewhere.shown(SESSION_ID)


async def test_whether_a_session_is_held_is_not_told_while_the_store_is_away(tmp_path: Path) -> None:
    class AwayStore(MediaStore):
        async def list(self, prefix: str) -> list[StoredObject]:
            raise UnavailableError(f"{prefix} can't be read.", reason="STORE_UNAVAILABLE")

    assert await LegalHolds(AwayStore(tmp_path.as_uri())).shown(SESSION_ID) is None


@pytest.mark.parametrize("state", ["queued", "processing"])
async def test_a_session_that_was_taken_up_again_keeps_what_it_works_on(bench: Bench, state: str) -> None:
    bench.engine.rows[SESSION_ID] = replace(bench.row, state=state)

    assert await bench.after(100, RetentionPeriods(1, 1, 1, 1)) == ALL


async def test_a_session_that_is_judged_again_keeps_what_that_needs(bench: Bench) -> None:
    bench.engine.later[SESSION_ID] = [VersionRow(2, "technical", "processing", ENDED_S)]

    assert await bench.after(100, RetentionPeriods(1, 1, 1, 1)) == ALL
