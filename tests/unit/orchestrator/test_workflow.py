"""The plan on fake steps: what runs, what is left out, and that nobody is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from orchestrator.workflow import (
    STAGES,
    Records,
    StageRecord,
    first_failure,
    is_assessed,
    process_answer,
    process_session,
    reassess_session,
    stages_of,
)

pytestmark = pytest.mark.anyio


class FakeSteps:
    """Runs stages by a table of how they end; keeps the order."""

    def __init__(self, **ends: StageRecord) -> None:
        self.ends = ends
        self.ran: list[str] = []
        self.finished: list[str] = []
        self.upstream: dict[str, set[str]] = {}

    async def run(self, position: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
        self.ran.append(stage)
        self.upstream[stage] = set(upstream)
        await asyncio.sleep(0)
        self.finished.append(stage)
        return self.ends.get(stage, StageRecord(stage, "done"))

    async def skip(self, position: int, record: StageRecord) -> StageRecord:
        return record


def failed(stage: str, reason: str = "UNAVAILABLE") -> StageRecord:
    return StageRecord(stage, "failed", "SERVICE_UNAVAILABLE", reason, "It is down.")


async def records_with(**ends: StageRecord) -> Records:
    return await process_answer(1, False, FakeSteps(**ends))


async def test_a_good_answer_goes_through_all_stages_in_order() -> None:
    steps = FakeSteps()
    records = await process_answer(1, False, steps)
    language = [
        stage for stage in steps.finished if stage in ("extract", "transcribe", "translate", "assess")
    ]

    assert sorted(records) == sorted(stages_of(linked=False))
    assert language == ["extract", "transcribe", "translate", "assess"]
    assert steps.ran.index("vision") < steps.ran.index("translate")
    assert is_assessed(records)


async def test_a_link_is_fetched_before_anything_else_and_nobody_else_fetches() -> None:
    steps = FakeSteps()
    records = await process_session([1, 2], {2}, steps)

    assert steps.ran[:2] == ["extract", "fetch"]
    assert (sorted(records[2]), sorted(records[1])) == (sorted(STAGES), sorted(stages_of(linked=False)))
    assert steps.ran.count("fetch") == 1


async def test_a_link_that_cannot_be_fetched_leaves_out_everything_and_says_why() -> None:
    gone = failed("fetch", "DOWNLOAD_REFUSED")
    records = await process_answer(1, True, FakeSteps(fetch=gone))

    assert {record.reason for name, record in records.items() if name != "fetch"} == {"FETCH_FAILED"}
    assert first_failure(records) == gone
    assert not is_assessed(records)


async def test_the_assessor_is_handed_nothing_seen_or_heard() -> None:
    steps = FakeSteps()
    await process_answer(1, False, steps)

    assert steps.upstream["assess"] == {"extract", "transcribe"}


@pytest.mark.parametrize("stage", ["translate", "assess", "vision", "speaker"])
async def test_a_failed_stage_cancels_nobody(stage: str) -> None:
    records = await records_with(**{stage: failed(stage)})

    assert [name for name, record in records.items() if record.state != "done"] == [stage]
    assert is_assessed(records)


async def test_without_words_there_is_nothing_to_translate_or_assess() -> None:
    records = await records_with(transcribe=failed("transcribe"))

    assert (records["assess"].state, records["assess"].outcome) == ("skipped", "SKIPPED")
    assert records["translate"].reason == "TRANSCRIBE_FAILED"
    assert records["vision"].state == records["speaker"].state == "done"
    assert not is_assessed(records)


async def test_silence_is_an_observation_and_leaves_out_what_needs_words() -> None:
    records = await records_with(transcribe=StageRecord("transcribe", "done", "NO_SPEECH"))

    assert records["assess"].outcome == records["translate"].outcome == "NO_SPEECH"
    assert is_assessed(records)


async def test_without_a_sound_track_only_the_picture_is_looked_at() -> None:
    records = await records_with(extract=StageRecord("extract", "done", "NO_AUDIO"))
    left_out = {name for name, record in records.items() if record.outcome == "NO_AUDIO"}

    assert {"extract", "transcribe", "translate", "assess", "speaker"} <= left_out
    assert records["vision"].state == "done"
    assert is_assessed(records)


async def test_without_a_picture_only_the_sound_is_listened_to() -> None:
    records = await records_with(extract=StageRecord("extract", "done", "NO_VIDEO"))

    assert records["vision"].outcome == "NO_VIDEO"
    assert records["assess"].state == "done"


async def test_an_unreadable_recording_leaves_out_everything() -> None:
    records = await records_with(extract=failed("extract", "MEDIA_UNDECODABLE"))

    assert {record.reason for name, record in records.items() if name != "extract"} == {"EXTRACT_FAILED"}
    assert not is_assessed(records)


async def test_answers_go_side_by_side_and_keep_their_places() -> None:
    steps = FakeSteps()
    records = await process_session(range(1, 4), set(), steps)

    assert list(records) == [1, 2, 3]
    assert steps.ran[:3] == ["extract"] * 3


async def test_an_error_of_the_engine_waits_for_all_branches() -> None:
    class Broken(FakeSteps):
        async def run(self, position: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
            if stage == "transcribe":
                raise RuntimeError("the engine broke")
            return await super().run(position, stage, upstream)

    steps = Broken()
    with pytest.raises(RuntimeError, match="the engine broke"):
        await process_answer(1, False, steps)

    assert {"vision", "speaker"} <= set(steps.finished)


def test_a_record_survives_the_journal() -> None:
    record = StageRecord("vision", "done", "NO_FACE", model={"name": "m"}, run_s=1.5, attempt_count=2)

    assert StageRecord.from_json(record.to_json()) == record


async def test_judging_anew_runs_only_the_assessor_and_keeps_the_rest() -> None:
    kept = {
        stage: StageRecord(stage, "done", output_key=f"{stage}.pb", run_s=3.0)
        for stage in stages_of(linked=False)
    }
    silent = kept | {"transcribe": StageRecord("transcribe", "done", "NO_SPEECH", output_key="t.pb")}
    steps = FakeSteps(assess=StageRecord("assess", "done", run_s=1.0))
    records = await reassess_session({1: kept, 2: silent}, steps)

    assert (steps.ran, steps.upstream["assess"]) == (["assess"], {"extract", "transcribe"})
    assert (records[1]["assess"].run_s, records[1]["assess"].reused) == (1.0, False)
    assert all(record.reused for stage, record in records[1].items() if stage != "assess")
    assert records[2]["assess"].run_s == 3.0
    assert list(records[1]) == list(stages_of(linked=False))
