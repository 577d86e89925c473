"""Rules of admission, requests, single stages and session messages, on fakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import ExhaustedError, InvalidInputError, PreconditionError, UnavailableError
from chassis.settings import SettingsError, load_settings
from interview.v1 import assessor_pb2, media_pb2, orchestrator_pb2, transcriber_pb2
from orchestrator.admission import check_request, page_token, read_page_token
from orchestrator.stages.assess import assess_request
from orchestrator.stages.catalogue import settings_class
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import done_ratio
from orchestrator.stages.translate import translation_calls
from orchestrator.workflow import stages_of
from tests.fakes.stages import NO_TRANSLATOR, a_transcript, an_assessment
from tests.runner_bench import PREFERENCES, SESSION_ID, Bench

pytestmark = pytest.mark.anyio
DOWN = UnavailableError("It is down.", reason="UNAVAILABLE")
SPENT = ExhaustedError("The quota is spent.", reason="TRANSLATOR_QUOTA_EXCEEDED")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_stage_whose_output_exists_is_not_run_again(bench: Bench) -> None:
    first = await bench.run(*stages_of(linked=False))
    second = await bench.run(*stages_of(linked=False))

    assert set(bench.stages.calls.values()) == {1}
    assert bench.extractor.count == 1
    assert all(record.reused and record.run_s == first[name].run_s for name, record in second.items())


async def test_another_rubric_transcribes_nothing_again(bench: Bench) -> None:
    await bench.run(*stages_of(linked=False))
    bench.session.rubric_id = "engineering"
    await bench.run(*stages_of(linked=False))

    assert bench.stages.calls == {"transcribe": 1, "translate": 1, "assess": 2, "vision": 1, "speaker": 1}


async def test_transcriber_and_speaker_get_the_sound_and_vision_the_recording(bench: Bench) -> None:
    await bench.run(*stages_of(linked=False))
    uris = {
        stage: bench.stages.requests[stage][0].recording.uri for stage in ("transcribe", "speaker", "vision")
    }

    assert uris["transcribe"] == uris["speaker"]
    assert uris["speaker"].endswith(".wav")
    assert uris["vision"].endswith("1.mp4")


async def test_what_may_pass_is_tried_again(bench: Bench) -> None:
    bench.stages.failures["vision"] = [DOWN, DOWN]
    record = (await bench.run("extract", "vision"))["vision"]

    assert (record.state, record.attempt_count) == ("done", 3)


async def test_attempts_are_limited(bench: Bench) -> None:
    bench.stages.failures["vision"] = [DOWN] * 9
    record = (await bench.run("extract", "vision"))["vision"]

    assert (record.state, record.outcome, record.reason) == ("failed", "SERVICE_UNAVAILABLE", "UNAVAILABLE")
    assert bench.stages.calls["vision"] == 3


@pytest.mark.parametrize("error", [SPENT, InvalidInputError("Bad.", reason="MEDIA_UNDECODABLE")])
async def test_what_will_not_pass_is_not_tried_again(bench: Bench, error: Any) -> None:
    bench.stages.failures["translate"] = [error]
    record = (await bench.run("extract", "transcribe", "translate"))["translate"]

    assert (record.state, record.reason) == ("failed", error.reason)
    assert bench.stages.calls["translate"] == 1


async def test_a_backend_that_nobody_configured_is_left_out_and_no_failure(bench: Bench) -> None:
    bench.stages.failures["translate"] = [NO_TRANSLATOR]
    record = (await bench.run("extract", "transcribe", "translate"))["translate"]

    assert (record.state, record.outcome) == ("skipped", "NOT_CONFIGURED")


async def test_a_model_that_is_away_fails_the_stage_and_is_asked_again_later(bench: Bench) -> None:
    bench.stages.replies["assess"] = assessor_pb2.Assessment(outcome=media_pb2.OUTCOME_SERVICE_UNAVAILABLE)
    first = (await bench.run("extract", "transcribe", "assess"))["assess"]
    bench.stages.replies["assess"] = an_assessment()
    second = (await bench.run("extract", "transcribe", "assess"))["assess"]

    assert (first.state, second.state) == ("failed", "done")


async def test_an_unexpected_error_is_a_failure_without_details(bench: Bench) -> None:
    bench.stages.failures["vision"] = [RuntimeError("secret path")]  # type: ignore[list-item]
    record = (await bench.run("extract", "vision"))["vision"]

    assert (record.state, record.reason) == ("failed", "INTERNAL")
    assert "secret" not in record.message


async def test_a_precondition_of_a_stage_fails_it(bench: Bench) -> None:
    bench.stages.failures["assess"] = [PreconditionError("Fetch it.", reason="MODEL_MISSING")]
    record = (await bench.run("extract", "transcribe", "assess"))["assess"]

    assert (record.state, record.reason) == ("failed", "MODEL_MISSING")


def test_only_what_was_not_spoken_in_a_language_is_translated_to_it() -> None:
    mixed = a_transcript()
    mixed.segments[1].language_code = "id"
    calls = list(translation_calls(mixed, "Why?", ("en", "id")))

    assert [(call.target_language, call.segment_indexes) for call in calls] == [("en", (1,)), ("id", (0,))]
    assert list(translation_calls(a_transcript("id"), "", ("id",))) == []
    assert [c.target_language for c in translation_calls(a_transcript("fr"), "", ("en", "id"))] == [
        "en",
        "id",
    ]


def test_flagged_segments_never_reach_the_assessor() -> None:
    transcript = a_transcript()
    transcript.segments[0].flags.append(transcriber_pb2.SEGMENT_FLAG_REPETITION)
    request = assess_request(
        orchestrator_pb2.AnswerInput(), orchestrator_pb2.CreateSessionRequest(), transcript, PREFERENCES
    )

    assert [segment.text for segment in request.segments] == [transcript.segments[1].text]
    assert (request.language_code, request.seed) == ("en", 7)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda request: request.ClearField("answers"),
        lambda request: request.answers[0].ClearField("uri"),
        lambda request: setattr(request, "language_code", "English please"),
        lambda request: setattr(request, "rubric_id", "../secret"),
        lambda request: setattr(request, "candidate_name", "x" * 300),
        lambda request: setattr(request.answers[0], "question", "x" * 2001),
        lambda request: setattr(request.answers[0], "digest", "abc"),
        lambda request: setattr(request.answers[0], "position", 0),
        lambda request: setattr(request.answers[0], "uri", "file:///etc/passwd"),
        lambda request: setattr(request.answers[0], "uri", request.answers[0].uri + "/../../../etc/passwd"),
        lambda request: setattr(request, "session_id", SESSION_ID.upper()),
        lambda request: setattr(request, "owner_group", "x" * 101),
        lambda request: setattr(request, "session_id", "b" * 32),  # Its recording is another session's.
    ],
)
def test_a_request_with_one_thing_wrong_is_refused(
    bench: Bench, spoil: Callable[[orchestrator_pb2.CreateSessionRequest], None]
) -> None:
    check_request(bench.session, bench.media)
    spoil(bench.session)

    with pytest.raises(InvalidInputError) as refused:
        check_request(bench.session, bench.media)
    assert refused.value.fields


def test_page_tokens_come_back_as_they_were_made() -> None:
    assert read_page_token(page_token(1_700_000_000_123, 4)) == (1_700_000_000_123, 4)
    assert read_page_token("") == (None, 0)


def test_a_fingerprint_keeps_its_parts_apart() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("a", "b") == fingerprint("a", b"b")


def test_progress_is_a_share_where_it_can_be_told() -> None:
    assert done_ratio(media_pb2.Progress(done_s=5, total_s=10)) == 0.5
    assert done_ratio(media_pb2.Progress(done_s=50, total_s=10)) == 1.0
    assert done_ratio(media_pb2.Progress(done_ratio=0.3)) == pytest.approx(0.3)
    assert done_ratio(media_pb2.Progress(done_s=5)) is None


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORCHESTRATOR_STORE_URL", tmp_path.as_uri())
    monkeypatch.setenv("ORCHESTRATOR_TARGET_LANGUAGES", '["en"]')
    monkeypatch.setenv("ORCHESTRATOR_TRANSCRIBER_ADDRESS", "elsewhere:1")
    monkeypatch.setenv("ORCHESTRATOR_TRANSCRIBE_COUNT", "3")
    settings = load_settings(settings_class())
    told = settings.model_dump()

    assert (told["transcriber_address"], told["transcribe_count"]) == ("elsewhere:1", 3)
    assert (told["speaker_address"], told["translate_count"]) == ("127.0.0.1:50055", None)
    assert (told["extract_timeout_s"], told["vision_timeout_s"], told["vision_timeout_factor"]) == (
        600.0,
        600.0,
        5.0,
    )
    assert "extract_address" not in told
    assert (settings.port, settings.target_languages) == (50056, ("en",))
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("variable", "value"), [("SPEAKER_COUNT", "0"), ("SPEAKER_TIMEOUT_S", "0"), ("FETCH_COUNT", "few")]
)
def test_a_wrong_setting_of_a_stage_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"ORCHESTRATOR_{variable}", value)
    with pytest.raises(SettingsError, match=f"ORCHESTRATOR_{variable}"):
        load_settings(settings_class())
