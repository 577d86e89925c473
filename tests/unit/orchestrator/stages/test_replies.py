"""What a stage answers is checked before it is kept, and a bad output that was kept is made again."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import UnavailableError
from interview.v1 import media_pb2, orchestrator_pb2, translator_pb2
from orchestrator.stages.catalogue import stage_classes
from orchestrator.stages.replies import check_length, check_numbers, check_spans
from orchestrator.stages.stage import OnProgress, Stage
from orchestrator.workflow import StageRecord
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report, an_assessment, observed
from tests.runner_bench import Bench

pytestmark = pytest.mark.anyio
Spoil = Callable[[Any], object]
LANGUAGE_CHAIN = ("extract", "transcribe", "translate", "assess", "vision", "speaker")


def translations() -> orchestrator_pb2.AnswerTranslations:
    reply = orchestrator_pb2.AnswerTranslations()
    reply.languages.add(language_code="id").translations.add(text="saya", outcome=media_pb2.OUTCOME_OK)
    return reply


GOOD: dict[str, Callable[[], Any]] = {
    "transcribe": a_transcript,
    "translate": translations,
    "assess": an_assessment,
    "vision": lambda: a_vision_report(observations=[observed("no_face", 1.0, 2.0)]),
    "speaker": a_diarization,
}
SPOILT: list[tuple[str, Spoil]] = [
    ("transcribe", lambda reply: setattr(reply, "speech_s", math.nan)),
    ("transcribe", lambda reply: setattr(reply.segments[0].words[2], "start_s", math.inf)),
    ("transcribe", lambda reply: setattr(reply.segments[0], "avg_logprob", -math.inf)),
    ("transcribe", lambda reply: setattr(reply.segments[0], "end_s", -3.0)),
    ("transcribe", lambda reply: setattr(reply.segments[1], "end_s", 500.0)),
    ("transcribe", lambda reply: setattr(reply.segments[0].words[0], "probability", 1.5)),
    ("transcribe", lambda reply: setattr(reply, "duration_s", 1e9)),
    ("transcribe", lambda reply: setattr(reply, "duration_s", -1.0)),
    ("transcribe", lambda reply: reply.segments.reverse()),
    ("transcribe", lambda reply: reply.segments[0].ClearField("words")),
    ("transcribe", lambda reply: reply.ClearField("segments")),
    ("translate", lambda reply: reply.languages[0].translations[0].ClearField("text")),
    ("assess", lambda reply: setattr(reply.criteria[0], "level", math.nan)),
    ("assess", lambda reply: setattr(reply.criteria[0], "level", 7.0)),
    ("assess", lambda reply: setattr(reply.criteria[0], "score", -1.0)),
    ("assess", lambda reply: setattr(reply, "total_score", 101.0)),
    ("assess", lambda reply: reply.criteria[1].ClearField("level")),
    ("assess", lambda reply: reply.ClearField("criteria")),
    ("vision", lambda reply: setattr(reply.measures[0], "value", math.nan)),
    ("vision", lambda reply: setattr(reply.measures[0], "value", -0.5)),
    ("vision", lambda reply: setattr(reply.measures[0], "coverage_ratio", 2.0)),
    ("vision", lambda reply: reply.measures[0].ClearField("value")),
    ("vision", lambda reply: reply.ClearField("measures")),
    ("vision", lambda reply: setattr(reply, "face_ratio", 1.2)),
    ("vision", lambda reply: setattr(reply.observations[0], "start_s", 5.0)),
    ("speaker", lambda reply: setattr(reply.turns[0], "end_s", 60.0)),
    ("speaker", lambda reply: setattr(reply, "second_voice_probability", math.nan)),
    ("speaker", lambda reply: setattr(reply.turns[0], "confidence", -1.0)),
    ("speaker", lambda reply: reply.ClearField("voice_count")),
]


def stage_named(name: str) -> Stage:
    """A stage of which nothing but its check is used."""
    return object.__new__(stage_classes()[name])


@pytest.mark.parametrize("name", GOOD)
def test_an_honest_reply_is_accepted(name: str) -> None:
    stage_named(name).check(GOOD[name](), 6.0)


@pytest.mark.parametrize("name", GOOD)
def test_a_reply_without_a_value_that_says_so_is_accepted(name: str) -> None:
    output_class = stage_classes()[name].output_class
    fields = {"outcome": media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE} if name != "translate" else {}
    stage_named(name).check(output_class(**fields), 6.0)


@pytest.mark.parametrize(("name", "spoil"), SPOILT)
def test_a_reply_with_one_thing_that_cannot_be_is_refused(name: str, spoil: Spoil) -> None:
    reply = GOOD[name]()
    spoil(reply)

    with pytest.raises(UnavailableError) as refused:
        stage_named(name).check(reply, 6.0)
    assert refused.value.reason == "REPLY_INVALID"


def test_what_a_rounding_may_do_is_no_reason_to_refuse() -> None:
    check_numbers(media_pb2.Word(probability=1.0000001))
    check_spans(
        [media_pb2.Word(start_s=1.0, end_s=1.0), media_pb2.Word(start_s=0.9, end_s=6.2)], 6.0, "words"
    )
    check_length(33.4, 33.0)
    check_length(7_000.0, 0.0)  # An extraction of an older build may not say how long it is.


async def test_a_reply_that_cannot_be_is_tried_again_and_never_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    replies = [a_vision_report(duration_s=math.nan), a_vision_report(face_ratio=-1.0), a_vision_report()]
    bench.stages.instead["vision"] = _answering(replies)
    record = await bench.vision()

    assert (record.state, record.attempt_count) == ("done", 3)
    kept = await bench.outputs.load(record.output_key, stage_classes()["vision"].output_class)
    assert kept == a_vision_report()


async def test_a_stage_that_only_ever_answers_nonsense_fails_with_its_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stages.replies["vision"] = a_vision_report(duration_s=math.nan)
    record = await bench.vision()
    again = await bench.vision()

    for one in (record, again):
        assert (one.state, one.reason, one.output_key) == ("failed", "REPLY_INVALID", "")
    assert bench.stages.calls["vision"] == 6  # A retry asks anew.


async def test_a_translation_of_another_number_of_texts_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stages.instead["translate"] = _answering([translator_pb2.TranslateResponse()] * 3)
    record = (await bench.run("extract", "transcribe", "translate"))["translate"]

    assert (record.state, record.reason) == ("failed", "REPLY_INVALID")


@pytest.mark.parametrize(
    "spoilt", [a_vision_report(duration_s=math.nan).SerializeToString(), b"\xff\xff\xff"]
)
async def test_a_bad_output_that_an_older_build_kept_is_made_again(tmp_path: Path, spoilt: bytes) -> None:
    bench = Bench(tmp_path)
    first = await bench.vision()
    await bench.media.put_bytes(first.output_key, spoilt)
    second = await bench.vision()

    assert (second.state, second.reused) == ("done", False)
    assert bench.stages.calls["vision"] == 2
    kept = await bench.outputs.load(second.output_key, stage_classes()["vision"].output_class)
    assert kept == a_vision_report(), "the bad one stayed in its place"


async def test_a_good_output_that_was_kept_is_used_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first: dict[str, StageRecord] = await bench.run(*LANGUAGE_CHAIN)
    second = await bench.run(*LANGUAGE_CHAIN)

    assert all(record.state == "done" for record in first.values())
    assert all(record.reused for record in second.values())


def _answering(replies: list[Any]) -> Callable[[Any, OnProgress], Any]:
    async def serve(request: Any, on_progress: OnProgress) -> Any:
        return replies.pop(0)

    return serve
