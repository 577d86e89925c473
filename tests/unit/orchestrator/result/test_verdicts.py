"""Not looked at is not Safe: verdicts and their confidence, by part and on the whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interview.v1 import orchestrator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.figures import figures_of
from orchestrator.result.measures import verdict_of
from orchestrator.result.verdicts import combined, observed_frame_count
from orchestrator.workflow import StageRecord, stages_of
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_diarization, a_vision_report, observed


def without(stage: str, outcome: str, message: str, **changes: Any) -> AnswerOutputs:
    records = {name: StageRecord(name, "done") for name in stages_of(linked=False)}
    records[stage] = StageRecord(stage, "skipped", outcome, outcome, message)
    return an_answer(records=records, **changes)


def audio_only(**changes: Any) -> AnswerOutputs:
    return without("vision", "NO_VIDEO", "The recording has no picture.", vision=None, **changes)


def video_only(**changes: Any) -> AnswerOutputs:
    return without("speaker", "NO_AUDIO", "The recording has no sound track.", diarization=None, **changes)


@pytest.mark.parametrize(
    ("outputs", "seen", "unseen", "outcome"),
    [(audio_only(), "sound", "picture", "NO_VIDEO"), (video_only(), "picture", "sound", "NO_AUDIO")],
)
def test_half_a_recording_has_no_verdict_and_no_confidence_but_its_part_has(
    outputs: AnswerOutputs, seen: str, unseen: str, outcome: str
) -> None:
    figures = figures_of(outputs)
    verdict = verdict_of(figures)

    assert (verdict["value"], verdict["outcome"], verdict["rests_on"]) == (None, outcome, [])
    assert (verdict[seen]["value"], verdict[seen]["looked_at_ratio"]) == ("Safe", 1.0)
    assert (verdict[unseen]["value"], verdict[unseen]["looked_at_ratio"]) == (None, 0.0)
    assert verdict[unseen]["reason"] in verdict["reason"]
    assert figures.confidence_percent is None


def test_an_observation_in_the_only_part_stands_and_says_what_it_rests_on() -> None:
    heard = a_diarization(second_voice_probability=0.9, observations=[observed("second_voice", 1, 3)])
    figures = figures_of(audio_only(diarization=heard))

    assert (figures.verdict, list(figures.rests_on)) == ("High Risk", ["sound"])
    assert figures.confidence_percent == pytest.approx(90)


def test_measures_that_nobody_took_count_as_not_covered() -> None:
    figures = figures_of(audio_only())

    assert figures.vision["blink_rate"].outcome == "NO_VIDEO"
    assert figures.coverage_percent == pytest.approx(100 * 4 / 16)


def test_a_camera_that_stops_is_not_called_safe_and_its_face_is_a_share_of_the_recording() -> None:
    stopped = a_vision_report(duration_s=4.0, face_ratio=1.0, sampled_frame_count=40)
    figures = figures_of(an_answer(extraction=orchestrator_pb2.Extraction(duration_s=13.5), vision=stopped))

    assert figures.picture.verdict == "No Data"
    assert figures.picture.outcome == "INSUFFICIENT_EVIDENCE"
    assert figures.picture.reason.startswith("Only 30 % of the recording has a picture.")
    assert figures.picture.confidence_percent == pytest.approx(100 * 4 / 13.5)
    assert figures.verdict == "No Data"


def test_a_picture_that_stands_still_is_not_looked_at() -> None:
    stands = a_vision_report(
        duration_s=20.0, picture_s=8.0, face_ratio=0.4, observations=[observed("no_picture", 8.0, 20.0)]
    )
    figures = figures_of(
        an_answer(
            extraction=orchestrator_pb2.Extraction(duration_s=20.0),
            vision=stands,
            diarization=a_diarization(duration_s=20.0),
        )
    )

    assert figures.picture.verdict == "No Data"
    assert figures.picture.looked_at_ratio == pytest.approx(0.4)
    assert figures.picture.confidence_percent == pytest.approx(40)
    assert figures.visual_score_percent == 0.0


def test_what_was_observed_before_the_camera_stopped_stands() -> None:
    stopped = a_vision_report(duration_s=4.0, observations=[observed("second_face", 1.0, 3.0)])
    outputs = an_answer(extraction=orchestrator_pb2.Extraction(duration_s=10.0), vision=stopped)

    assert figures_of(outputs).picture.verdict == "High Risk"
    assert figures_of(outputs).visual_score_percent == pytest.approx(20)
    assert observed_frame_count(outputs) == 30


def test_sound_that_ends_early_is_not_called_safe() -> None:
    figures = figures_of(an_answer(diarization=a_diarization(duration_s=3.0)))

    assert (figures.sound.verdict, figures.sound.looked_at_ratio) == ("No Data", 0.5)
    assert "Only 50 % of the recording has sound." in figures.sound.reason


def test_a_pause_of_the_recorder_is_not_sound_that_was_listened_to() -> None:
    slept = orchestrator_pb2.Extraction(duration_s=20.0, sound=orchestrator_pb2.SoundTrack(duration_s=20.0))
    outputs = an_answer(extraction=slept, diarization=a_diarization(duration_s=20.0))
    assert figures_of(outputs).sound.verdict == "Safe"

    slept.sound.heard_s = 8.0
    figures = figures_of(outputs)

    assert (figures.sound.verdict, figures.sound.looked_at_ratio) == ("No Data", 0.4)
    assert figures.sound.outcome == "INSUFFICIENT_EVIDENCE"
    assert "Only 40 % of the recording has sound." in figures.sound.reason


@pytest.mark.parametrize(("whole_s", "verdict"), [(12.0, "No Data"), (6.2, "Safe"), (None, "Safe")])
def test_the_missing_end_of_a_file_that_is_cut_off_is_not_safe(whole_s: float | None, verdict: str) -> None:
    cut = orchestrator_pb2.Extraction(duration_s=6.0)
    cut.recording_warnings.add(
        kind="MEDIA_TRUNCATED", start_s=None if whole_s is None else 6.0, end_s=whole_s
    )
    figures = figures_of(an_answer(extraction=cut))

    assert (figures.verdict, figures.picture.verdict, figures.sound.verdict) == (verdict,) * 3
    if verdict == "No Data":
        assert figures.picture.looked_at_ratio == figures.sound.looked_at_ratio == pytest.approx(0.5)
        assert "Only 50 % of the recording has a picture." in figures.picture.reason


def test_what_is_observed_is_a_share_of_what_is_there_of_a_file_that_is_cut_off() -> None:
    cut = orchestrator_pb2.Extraction(duration_s=6.0)
    cut.recording_warnings.add(kind="MEDIA_TRUNCATED", start_s=6.0, end_s=12.0)
    seen = a_vision_report(observations=[observed("no_face", 0.0, 1.5)])

    assert figures_of(an_answer(extraction=cut, vision=seen)).verdict == "High Risk"


def test_a_second_at_the_edges_may_be_missing() -> None:
    figures = figures_of(an_answer(vision=a_vision_report(duration_s=5.2)))

    assert figures.verdict == "Safe"


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["Safe", "Safe"], "Safe"),
        (["Safe", "No Data"], "No Data"),
        (["No Data", "Medium Risk"], "Medium Risk"),
        (["Safe", "High Risk", "No Data"], "High Risk"),
        (["Medium Risk"] * 5, "Medium Risk"),
        ([], "No Data"),
    ],
)
def test_safe_needs_every_part_and_an_observation_needs_one(parts: list[str], whole: str) -> None:
    assert combined(parts) == whole


def test_a_verdict_is_made_of_numbers_that_json_can_hold() -> None:
    json.dumps(verdict_of(figures_of(audio_only())), allow_nan=False)
