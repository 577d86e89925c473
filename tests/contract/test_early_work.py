"""Work on a recording that still arrives: used where the finished file confirms it, and otherwise as if it
had never been."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from chassis.errors import InterviewError, UnavailableError
from chassis.store.arriving import ArrivalLostError
from orchestrator.early.sound import wav_header
from tests.early_bench import EarlyBench, early_bench, early_children
from tests.folders import files_below
from tests.waiting import until
from tests.world import CANCELLED, COMPLETED

pytestmark = pytest.mark.anyio

STAGES = ("transcribe", "speaker", "vision")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[EarlyBench]:
    async with early_bench(tmp_path) as made:
        yield made


def wav_of(bench: EarlyBench, session_id: str) -> bytes:
    folder = bench.folder / "store" / "sessions" / session_id / "outputs" / "1"
    (wav,) = folder.glob("extract-*.wav")
    return wav.read_bytes()


@pytest.mark.parametrize("name", ["first.mp4", "a.webm"])
async def test_stages_are_called_once_before_the_last_byte_and_the_session_uses_it(
    bench: EarlyBench, name: str
) -> None:
    arrival = bench.arrival(bench.recording(name))
    await arrival.begin()
    await bench.until_all_work()
    assert [call.has_ended for call in bench.stages.calls] == [False] * 3
    await arrival.finish()
    await arrival.create()

    session = await bench.world.until(arrival.session_id, COMPLETED)

    assert sorted(call.stage for call in bench.stages.calls) == sorted(STAGES)
    (heard,), (turns,), (seen,) = (bench.stages.of(stage) for stage in STAGES)
    wav = wav_of(bench, arrival.session_id)
    assert heard.received == turns.received == wav_header(None) + wav[44:]
    assert wav[:44] == wav_header(len(wav) - 44)
    assert seen.received == arrival.data
    assert heard.config.language_code == "en"
    assert {one.stage: one.attempt_count for one in session.answers[0].stages}["transcribe"] == 1
    await until(lambda: not arrival.arriving_files())


async def test_a_stage_that_still_works_is_waited_for_and_not_called_again(bench: EarlyBench) -> None:
    bench.stages.gate.clear()
    arrival = bench.arrival(bench.recording())
    await arrival.begin()
    await bench.until_all_work()
    await arrival.finish()
    await arrival.create()
    await until(lambda: len(files_below(bench.folder / "store" / "sessions")) > 2)  # It is extracted.
    await until(lambda: all(call.has_ended for call in bench.stages.calls))
    bench.stages.gate.set()

    await bench.world.until(arrival.session_id, COMPLETED)
    assert sorted(call.stage for call in bench.stages.calls) == sorted(STAGES)


@pytest.mark.parametrize("pause_s", [0.0, 2.0], ids=["before it waits for it", "while it waits for it"])
async def test_a_session_that_is_cancelled_ends_its_early_work(bench: EarlyBench, pause_s: float) -> None:
    bench.stages.gate.clear()
    arrival = bench.arrival(bench.recording())
    await arrival.begin()
    await bench.until_all_work()
    await arrival.finish()
    await arrival.create()
    await until(lambda: len(bench.stages.calls) == 3 and all(call.has_ended for call in bench.stages.calls))
    await asyncio.sleep(pause_s)
    await bench.world.do("CancelSession", arrival.session_id)

    await bench.world.until(arrival.session_id, CANCELLED)
    await until(lambda: all(call.is_cancelled for call in bench.stages.calls))


async def test_what_was_found_in_another_sound_is_thrown_away(bench: EarlyBench) -> None:
    arrival = bench.arrival(bench.recording())
    other = bench.recording("other.mp4", seconds=21.0)
    await arrival.begin()
    await bench.until_all_work()
    await arrival.finish()
    await arrival.create(other)

    await bench.world.until(arrival.session_id, COMPLETED)
    for stage in STAGES:
        assert [bool(call.config.recording.uri) for call in bench.stages.of(stage)] == [False, True]
    outputs = files_below(bench.folder / "store" / "sessions" / arrival.session_id / "outputs")
    assert sum(path.name.startswith("transcribe-") and path.suffix == ".pb" for path in outputs) == 1


async def test_what_was_heard_in_another_language_is_thrown_away(bench: EarlyBench) -> None:
    arrival = bench.arrival(bench.recording())
    await arrival.begin()
    await bench.until_all_work()
    await arrival.finish()
    await arrival.create(language_code="id")

    await bench.world.until(arrival.session_id, COMPLETED)
    assert [call.config.language_code for call in bench.stages.of("transcribe")] == ["en", "id"]
    assert len(bench.stages.of("speaker")) == 1


async def test_a_recording_with_its_index_at_the_end_waits_for_it(bench: EarlyBench) -> None:
    arrival = bench.arrival(bench.recording("last.mp4"))
    await arrival.begin()
    await until(lambda: not arrival.arriving_files())
    assert bench.stages.calls == []
    with pytest.raises(ArrivalLostError):  # It need not be copied any further.
        await arrival.finish()
    assert arrival.arriving_files() == []
    await arrival.create()

    await bench.world.until(arrival.session_id, COMPLETED)
    assert all(call.config.recording.uri for call in bench.stages.calls)


async def test_a_broken_upload_leaves_no_file_no_process_and_no_call(bench: EarlyBench) -> None:
    arrival = bench.arrival(bench.recording())
    await arrival.begin()
    await bench.until_all_work()
    assert early_children()
    await arrival.writer.abandon()

    await until(lambda: all(call.is_cancelled for call in bench.stages.calls))
    await until(lambda: not early_children())
    await until(lambda: not arrival.arriving_files())
    assert not files_below(bench.folder / "store" / "sessions")


async def test_an_accepted_session_takes_the_places_of_early_work(tmp_path: Path) -> None:
    one_place = {f"{stage}_count": 1 for stage in STAGES}
    async with early_bench(tmp_path, **one_place) as bench:
        early, session = bench.arrival(bench.recording()), bench.arrival(bench.recording("second.mp4"))
        await early.begin()
        await bench.until_all_work()
        await session.create()

        await bench.world.until(session.session_id, COMPLETED)
        assert all(call.is_cancelled for call in bench.stages.calls if not call.config.recording.uri)
        with suppress(ArrivalLostError):  # It may have been noticed that no stage works on it.
            await early.finish()
        await early.create()
        await bench.world.until(early.session_id, COMPLETED)


async def test_early_work_that_fails_costs_the_session_nothing(bench: EarlyBench) -> None:
    for stage in STAGES:
        bench.stages.failures[stage] = [UnavailableError("It broke.", reason="UNAVAILABLE")]
    arrival = bench.arrival(bench.recording())
    await arrival.begin()
    await until(lambda: len(bench.stages.calls) == 3)
    await arrival.finish()
    await until(lambda: len(bench.stages.calls) == 3 and all(call.has_ended for call in bench.stages.calls))
    await arrival.create()

    session = await bench.world.until(arrival.session_id, COMPLETED)
    for stage in STAGES:
        assert [bool(call.config.recording.uri) for call in bench.stages.of(stage)] == [False, True]
    counts = {one.stage: one.attempt_count for one in session.answers[0].stages}
    assert [counts[stage] for stage in STAGES] == [1, 1, 1]


async def test_an_answer_that_comes_before_the_end_of_the_recording_does_not_count(bench: EarlyBench) -> None:
    bench.stages.hasty = {"vision"}
    arrival = bench.arrival(bench.recording())
    await arrival.begin()
    await until(lambda: bench.stages.of("vision"))
    await arrival.finish()
    await arrival.create()

    await bench.world.until(arrival.session_id, COMPLETED)
    assert [bool(call.config.recording.uri) for call in bench.stages.of("vision")] == [False, True]


async def test_an_orchestrator_that_died_in_early_work_costs_the_session_nothing(tmp_path: Path) -> None:
    async with early_bench(tmp_path) as bench:
        arrival = bench.arrival(bench.recording())
        await arrival.begin()
        await bench.until_all_work()
    assert not early_children()
    async with early_bench(tmp_path) as bench:
        again = bench.arrival(bench.folder / "first.mp4", arrival.session_id)
        await again.create()

        await bench.world.until(again.session_id, COMPLETED)
        assert all(call.config.recording.uri for call in bench.stages.calls)
        assert sorted(call.stage for call in bench.stages.calls) == sorted(STAGES)


async def test_more_recordings_than_are_allowed_are_not_followed(tmp_path: Path) -> None:
    async with early_bench(tmp_path, early_count=1) as bench:
        first, second = bench.arrival(bench.recording()), bench.arrival(bench.recording("second.mp4"))
        await first.begin()
        await second.writer.begin()

        assert not await second.follow()


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    async with early_bench(tmp_path, early_count=0) as bench:
        arrival = bench.arrival(bench.recording())
        await arrival.writer.begin()

        assert not await arrival.follow()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"session_id": "x"}, "SESSION_ID_INVALID"),
        ({"position": 0}, "RECORDING_INVALID"),
        ({"position": 21}, "RECORDING_INVALID"),
        ({"language_code": "?"}, "RECORDING_INVALID"),
    ],
)
async def test_a_recording_that_can_not_be_is_refused(
    bench: EarlyBench, changes: dict[str, object], reason: str
) -> None:
    arrival = bench.arrival(bench.recording(seconds=1.0))
    with pytest.raises(InterviewError) as refused:
        await arrival.follow(**changes)

    assert refused.value.reason == reason


async def test_recordings_of_a_session_that_exists_or_was_deleted_are_not_followed(bench: EarlyBench) -> None:
    arrival = bench.arrival(bench.recording(seconds=1.0))
    await arrival.create()
    await bench.world.until(arrival.session_id, COMPLETED)
    with pytest.raises(InterviewError) as refused:
        await arrival.follow()
    assert refused.value.reason == "SESSION_EXISTS"

    await bench.world.do("DeleteSession", arrival.session_id)
    with pytest.raises(InterviewError) as refused:
        await arrival.follow()
    assert refused.value.reason == "SESSION_DELETED"


async def test_deletion_removes_what_still_arrives_of_a_session(bench: EarlyBench) -> None:
    arrival = bench.arrival(bench.recording(seconds=1.0))
    await arrival.create()
    await bench.world.until(arrival.session_id, COMPLETED)
    await arrival.writer.begin()
    await arrival.come_to(1.0)

    await bench.world.do("DeleteSession", arrival.session_id)
    assert arrival.arriving_files() == []
