"""What a caller may choose: language, beam, hints, task, and hearing the pauses too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InvalidInputError
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Flag, TranscriptOutcome
from tests.fakes.transcriber import (
    FakeSpeechModel,
    LoudnessDetector,
    decoded,
    silence,
    tone,
    write_wav,
)
from tests.transcribing import events_of, transcript_of


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """One second of silence, three of voice, one of silence."""
    return write_wav(tmp_path / "voice.wav", np.concatenate([silence(1), tone(3), silence(1)]))


def test_a_named_language_comes_back_without_a_probability(voice: Path) -> None:
    model = FakeSpeechModel([decoded("halo")])
    transcript = transcript_of(voice, model, TranscribeOptions(language_code="id-ID"))

    assert model.decoded_in == ["id"]
    assert (transcript.language_code, transcript.language_probability) == ("id", None)


@pytest.mark.parametrize(
    ("asked", "whisper"),
    [("en", "en"), ("EN-us", "en"), ("id", "id"), ("in", "id"), ("jv", "jw"), ("en_GB", "en")],
)
def test_bcp47_tags_find_whisper_s_code(voice: Path, asked: str, whisper: str) -> None:
    model = FakeSpeechModel([decoded("x")])
    transcript_of(voice, model, TranscribeOptions(language_code=asked))

    assert model.decoded_in == [whisper]


@pytest.mark.parametrize("code", ["xx", "tlh", "english", "e", "-", "🙂", "en;drop"])
def test_an_unknown_language_is_refused_with_the_known_ones(voice: Path, code: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        events_of(voice, FakeSpeechModel(), TranscribeOptions(language_code=code))

    assert raised.value.reason == "LANGUAGE_UNSUPPORTED"
    assert raised.value.fields == {"language_code": "one of: en, id, jv"}


def test_an_english_only_model_refuses_other_languages(voice: Path) -> None:
    with pytest.raises(InvalidInputError) as raised:
        events_of(voice, FakeSpeechModel(language_codes=("en",)), TranscribeOptions(language_code="id"))

    assert raised.value.reason == "LANGUAGE_UNSUPPORTED"


@pytest.mark.parametrize("beam_size", [0, -1, 11, 2_000_000_000])
def test_an_absurd_beam_is_refused(voice: Path, beam_size: int) -> None:
    with pytest.raises(InvalidInputError) as raised:
        events_of(voice, FakeSpeechModel(), TranscribeOptions(beam_size=beam_size))

    assert (raised.value.reason, list(raised.value.fields)) == ("BEAM_SIZE_INVALID", ["beam_size"])


def test_the_caller_s_beam_wins_over_the_setting(voice: Path) -> None:
    model = FakeSpeechModel()
    transcript_of(voice, model, TranscribeOptions(beam_size=2))
    transcript_of(voice, model)

    assert [request.beam_size for request in model.requests] == [2, 5]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (TranscribeOptions(hotwords="x" * 1001), "HOTWORDS_TOO_LONG"),
        (TranscribeOptions(prompt="x" * 1001), "PROMPT_TOO_LONG"),
    ],
)
def test_hints_have_a_limit(voice: Path, options: TranscribeOptions, reason: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        events_of(voice, FakeSpeechModel(), options)

    assert raised.value.reason == reason


def test_hints_that_the_model_can_t_take_are_cut_and_the_reader_is_told(voice: Path) -> None:
    model = FakeSpeechModel([decoded("all of it is here", 0.4, 3.4)], max_hint_chars=5)
    transcript = transcript_of(voice, model, TranscribeOptions(hotwords="Anthropomorphic", prompt="Hi."))

    assert (model.requests[0].hotwords, model.requests[0].prompt) == ("Anthr", "Hi.")
    assert transcript.warnings == (
        "The hotwords were longer than the model can take. Only the beginning was used.",
    )


def test_bad_options_are_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    not_there = tmp_path / "missing.wav"

    with pytest.raises(InvalidInputError, match="beam size"):
        events_of(not_there, FakeSpeechModel(), TranscribeOptions(beam_size=99))


def test_without_vad_the_model_hears_the_pauses_too(voice: Path) -> None:
    model = FakeSpeechModel([decoded("one two", 1.5, 3)])
    transcript = transcript_of(voice, model, TranscribeOptions(vad_disabled=True))

    assert model.heard_s == [5.0]
    assert transcript.segments[0].start_s == pytest.approx(1.5)
    assert transcript.segments[0].flags == frozenset()


def test_without_vad_words_in_a_pause_are_flagged_and_stay(voice: Path) -> None:
    transcript = transcript_of(
        voice, [decoded("one two", 1.5, 3), decoded("thanks", 4.3, 4.9)], TranscribeOptions(vad_disabled=True)
    )

    assert [segment.flags for segment in transcript.segments] == [frozenset(), {Flag.NO_SPEECH}]


def test_without_vad_a_recording_in_which_nobody_speaks_never_reaches_the_model(tmp_path: Path) -> None:
    model = FakeSpeechModel([decoded("thank you", 0, 1)])
    recording = write_wav(tmp_path / "silence.wav", silence(5))
    transcript = transcript_of(recording, model, TranscribeOptions(vad_disabled=True))

    assert (transcript.segments, model.requests) == ((), [])
    assert transcript.outcome is TranscriptOutcome.NO_SPEECH


def test_without_vad_a_long_recording_is_cut_where_nobody_speaks(tmp_path: Path) -> None:
    model = FakeSpeechModel([])
    voices = [part for i in range(24) for part in (tone(11) * (1 - i / 50), silence(3))]
    options = TranscribeOptions(vad_disabled=True)
    transcript_of(write_wav(tmp_path / "long.wav", np.concatenate(voices)), model, options)

    assert sum(model.heard_s) == pytest.approx(24 * 14.0)
    assert len(model.heard_s) == 24
    assert all(12.4 < heard_s < 15.6 for heard_s in model.heard_s)  # every piece is one voice


def test_the_translate_task_reaches_the_model(voice: Path) -> None:
    model = FakeSpeechModel([decoded("good morning")])
    transcript_of(voice, model, TranscribeOptions(task="translate"))

    assert model.requests[0].task == "translate"


def test_languages_are_listed_by_their_bcp47_codes() -> None:
    assert Transcriber(FakeSpeechModel(), LoudnessDetector()).language_codes == ["en", "id", "jv"]
