"""A language that was named, and a recording that sounds like another one."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.language_check import OnContradiction
from services.transcriber.transcript import Transcript
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector, decoded, silence, tone, write_wav

INDONESIAN = {"id": 0.9, "ms": 0.05, "en": 0.01}
FITS_INDONESIAN = {"id": -0.5, "en": -0.9}


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    """Five stretches of voice with long pauses."""
    return write_wav(tmp_path / "answer.wav", np.concatenate([tone(4), silence(3)] * 5))


def a_model(
    heard: Sequence[Mapping[str, float]] = (INDONESIAN,),
    believes: Mapping[str, float] = FITS_INDONESIAN,
    language_codes: Sequence[str] = ("en", "id", "jw", "ms"),
) -> FakeSpeechModel:
    return FakeSpeechModel(
        [decoded("words", 0.1, 3.0)], heard=heard, believes=believes, language_codes=language_codes
    )


def transcript_of(
    recording: Path, model: FakeSpeechModel, rule: OnContradiction = "warn", named: str = "en"
) -> Transcript:
    transcriber = Transcriber(
        model, LoudnessDetector(), on_contradiction=rule, expected_language_codes=["en", "id"]
    )
    *_, last = transcriber.transcribe(recording, TranscribeOptions(language_code=named), threading.Event())
    assert isinstance(last, Transcript)
    return last


def test_a_strong_contradiction_is_told_and_the_named_language_stays(answer: Path) -> None:
    model = a_model()
    transcript = transcript_of(answer, model)
    (warning,) = transcript.recording_warnings

    assert warning.kind == "LANGUAGE_CONTRADICTED"
    assert "given as en" in warning.message
    assert "sounds like id" in warning.message
    assert set(model.decoded_in) == {"en"}


def test_it_may_be_switched_to_the_language_that_is_heard(answer: Path) -> None:
    model = a_model()
    transcript = transcript_of(answer, model, "switch")

    assert set(model.decoded_in) == {"id"}
    assert transcript.language_code == "id"
    assert [one.kind for one in transcript.recording_warnings] == ["LANGUAGE_CONTRADICTED"]


def test_nobody_looks_where_the_caller_is_trusted(answer: Path) -> None:
    model = a_model()
    transcript = transcript_of(answer, model, "trust")

    assert (model.detected_s, transcript.recording_warnings) == ([], ())


def test_a_language_that_fits_costs_one_short_look(answer: Path) -> None:
    model = a_model(heard=[{"en": 0.97}])
    transcript = transcript_of(answer, model)

    assert model.detected_s == pytest.approx([4.4], abs=0.7)
    assert model.tried == []
    assert transcript.recording_warnings == ()


def test_a_contradiction_is_looked_for_in_three_places_at_most(answer: Path) -> None:
    model = a_model()
    transcript_of(answer, model)

    assert len(model.detected_s) == 3
    assert max(model.detected_s) <= 5.0


@pytest.mark.parametrize(
    "heard",
    [
        [INDONESIAN, {"en": 0.9}],
        [{"id": 0.4, "ms": 0.4, "en": 0.01}, {"jw": 0.9}],
        [{"id": 0.7, "en": 0.2}],
    ],
    ids=["named language later on", "no language plainly", "named language half"],
)
def test_a_weak_contradiction_is_not_told(answer: Path, heard: Sequence[Mapping[str, float]]) -> None:
    assert transcript_of(answer, a_model(heard)).recording_warnings == ()


def test_a_text_that_fits_no_better_in_the_other_language_is_no_contradiction(answer: Path) -> None:
    assert transcript_of(answer, a_model(believes={"id": -0.5, "en": -0.45})).recording_warnings == ()


@pytest.mark.parametrize("heard", [{"ms": 0.9}, {"jw": 0.95}])
def test_languages_that_sound_alike_do_not_contradict(answer: Path, heard: Mapping[str, float]) -> None:
    assert transcript_of(answer, a_model([heard]), named="id").recording_warnings == ()


def test_a_model_of_one_language_and_a_recording_without_speech_are_not_checked(
    answer: Path, tmp_path: Path
) -> None:
    english, empty = a_model(language_codes=["en"]), a_model()
    transcriber = Transcriber(english, LoudnessDetector())
    *_, _last = transcriber.transcribe(answer, TranscribeOptions(language_code="en"), threading.Event())
    nothing = transcript_of(write_wav(tmp_path / "silence.wav", silence(3)), empty)

    assert english.detected_s == empty.detected_s == []
    assert nothing.recording_warnings == ()
