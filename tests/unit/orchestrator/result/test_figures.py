"""Figures and verdicts from what the stages left."""

from __future__ import annotations

import pytest

from interview.v1 import media_pb2, speaker_pb2, transcriber_pb2, vision_pb2
from orchestrator.result.answer_outputs import voice_of
from orchestrator.result.figures import figures_of
from orchestrator.result.values import mean
from orchestrator.result.verdicts import combined
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report, observed


def test_speech_is_measured_from_the_words_that_were_spoken() -> None:
    speech = figures_of(an_answer()).speech

    assert speech["speech_rate"].value == pytest.approx(11 / (5 / 60))
    assert speech["speaking_ratio"].value == pytest.approx(5 / 6)
    assert speech["pause_count"].value == 1


def test_flagged_words_are_not_counted() -> None:
    transcript = a_transcript()
    transcript.segments[1].flags.append(transcriber_pb2.SEGMENT_FLAG_REPETITION)
    speech = figures_of(an_answer(transcript=transcript)).speech

    assert speech["speech_rate"].value == pytest.approx(5 / (5 / 60))


def test_silence_has_no_rate_and_says_why() -> None:
    silent = transcriber_pb2.Transcript(outcome=media_pb2.OUTCOME_NO_SPEECH, duration_s=6.0)
    speech = figures_of(an_answer(transcript=silent)).speech

    assert {figure.value for figure in speech.values()} == {None}
    assert {figure.outcome for figure in speech.values()} == {"NO_SPEECH"}


@pytest.mark.parametrize(
    ("kind", "seconds", "verdict"),
    [
        ("no_face", 0.2, "Safe"),
        ("no_face", 0.5, "Medium Risk"),
        ("no_face", 2.0, "High Risk"),
        ("second_face", 0.03, "Medium Risk"),
        ("second_face", 1.0, "High Risk"),
        ("looking_away", 1.0, "Safe"),
        ("looking_away", 5.0, "Medium Risk"),
        ("face_too_small", 6.0, "Safe"),
    ],
)
def test_the_picture_gives_a_verdict_by_its_table(kind: str, seconds: float, verdict: str) -> None:
    report = a_vision_report(observations=[observed(kind, 0.0, seconds)])

    assert figures_of(an_answer(vision=report)).picture.verdict == verdict


def test_overlapping_observations_count_once() -> None:
    report = a_vision_report(observations=[observed("no_face", 0, 2), observed("looking_away", 1, 3)])

    assert figures_of(an_answer(vision=report)).visual_score_percent == pytest.approx(50)


def test_a_second_voice_is_an_observation_and_an_unclear_one_is_not() -> None:
    heard = a_diarization(
        voice_count=2, second_voice_probability=0.9, observations=[observed("second_voice", 1, 3)]
    )
    unclear = a_diarization(second_voice_probability=0.6)

    assert figures_of(an_answer(diarization=heard)).verdict == "High Risk"
    assert figures_of(an_answer(diarization=heard)).sound.confidence_percent == pytest.approx(90)
    assert figures_of(an_answer(diarization=unclear)).verdict == "Safe"


def test_without_vision_and_speaker_there_is_no_verdict_at_all() -> None:
    figures = figures_of(an_answer(vision=None, diarization=None))

    assert figures.verdict == "No Data"
    assert figures.confidence_percent is None


def test_the_session_gets_the_worst_verdict_and_medium_ones_never_add_up() -> None:
    assert combined(["Medium Risk"]) == "Medium Risk"
    assert combined(["Medium Risk"] * 5 + ["Safe", "No Data"]) == "Medium Risk"
    assert combined(["Safe", "High Risk"]) == "High Risk"
    assert combined([]) == "No Data"


def test_a_segment_belongs_to_the_voice_that_says_most_of_it() -> None:
    turns = [
        speaker_pb2.Turn(start_s=0, end_s=2, voice=0),
        speaker_pb2.Turn(start_s=2, end_s=2.5, voice=1),
        speaker_pb2.Turn(start_s=2.5, end_s=4, voice=0),
    ]
    diarization = speaker_pb2.Diarization(turns=turns)

    assert voice_of(diarization, 0, 3) == 0
    assert voice_of(diarization, 2, 2.6) == 1
    assert voice_of(diarization, 9, 10) is None
    assert voice_of(None, 0, 1) is None


def test_a_mean_of_nothing_is_nothing() -> None:
    assert mean([]) is None
    assert mean([None, 4.0, None]) == 4.0


def test_a_report_without_frames_has_no_score() -> None:
    figures = figures_of(an_answer(vision=vision_pb2.VisionReport()))

    assert (figures.visual_score_percent, figures.picture.verdict) == (None, "No Data")
