"""The transcriber's engine on a fake model: what comes out, in which order, and what is refused."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import CancelledCallError, InvalidInputError
from services.transcriber.decoding import DecodedSegment
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Event, Flag, Progress, Segment, Transcript, TranscriptOutcome
from tests.fakes.transcriber import (
    FakeSpeechModel,
    LoudnessDetector,
    decoded,
    silence,
    tone,
    write_wav,
)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """One second of silence, three of voice, one of silence."""
    return write_wav(tmp_path / "voice.wav", np.concatenate([silence(1), tone(3), silence(1)]))


def events_of(
    recording: Path, model: FakeSpeechModel, options: TranscribeOptions | None = None
) -> list[Event]:
    transcriber = Transcriber(model, LoudnessDetector())
    return list(transcriber.transcribe(recording, options or TranscribeOptions(), threading.Event()))


def transcript_of(
    recording: Path,
    segments: Sequence[DecodedSegment] | FakeSpeechModel,
    options: TranscribeOptions | None = None,
) -> Transcript:
    model = segments if isinstance(segments, FakeSpeechModel) else FakeSpeechModel(segments)
    *_, last = events_of(recording, model, options)
    assert isinstance(last, Transcript)
    return last


def test_segments_come_as_they_are_decoded_and_the_transcript_comes_last(voice: Path) -> None:
    events = events_of(voice, FakeSpeechModel([decoded("one two", 0.4, 2), decoded("three", 2, 3)]))

    assert [type(event) for event in events] == [
        Progress, Segment, Progress, Segment, Progress, Progress, Transcript,
    ]  # fmt: skip
    assert [event.text for event in events if isinstance(event, Segment)] == ["one two", "three"]


def test_progress_rises_from_nothing_to_the_whole_recording(voice: Path) -> None:
    events = events_of(voice, FakeSpeechModel([decoded("one", 0.4, 2), decoded("two", 2, 3)]))
    done_s = [event.done_s for event in events if isinstance(event, Progress)]

    assert done_s == sorted(done_s)
    assert (done_s[0], done_s[-1]) == (0.0, 5.0)


def test_silence_is_an_empty_transcript_not_an_error(tmp_path: Path) -> None:
    model = FakeSpeechModel([decoded("Thank you for watching.")])
    transcript = transcript_of(write_wav(tmp_path / "silence.wav", silence(5)), model)

    assert (transcript.segments, transcript.outcome) == ((), TranscriptOutcome.NO_SPEECH)
    assert (transcript.language_code, transcript.mean_word_probability) == ("", None)
    assert model.requests == []  # the model never hears silence, so it can't invent words for it


def test_a_recording_of_no_length_is_an_empty_transcript(tmp_path: Path) -> None:
    transcript = transcript_of(write_wav(tmp_path / "nothing.wav", silence(0)), [decoded("words")])

    assert (transcript.duration_s, transcript.outcome) == (0.0, TranscriptOutcome.NO_SPEECH)
    assert transcript.real_time_factor_ratio == 0.0


def test_a_voice_without_words_is_said_to_be_too_little(voice: Path) -> None:
    transcript = transcript_of(voice, [])

    assert transcript.outcome is TranscriptOutcome.INSUFFICIENT_EVIDENCE
    assert transcript.uncovered_speech_s == transcript.speech_s == pytest.approx(3.0, abs=0.1)
    assert "have no words" in transcript.warnings[0]


def test_times_are_on_the_clock_of_the_recording_although_the_model_hears_no_silence(tmp_path: Path) -> None:
    samples = np.concatenate([silence(4), tone(2), silence(6), tone(2), silence(1)])
    model = FakeSpeechModel([decoded("first", 0.4, 2.4), decoded("second", 3.2, 5.2)])
    transcript = transcript_of(write_wav(tmp_path / "pauses.wav", samples), model)

    assert model.heard_s == [pytest.approx(2 * 2 + 4 * 0.4, abs=0.1)]
    assert [segment.start_s for segment in transcript.segments] == pytest.approx([4.0, 12.0], abs=0.05)


def test_a_long_recording_is_decoded_in_blocks_on_one_clock(tmp_path: Path) -> None:
    samples = np.concatenate([tone(3), silence(650), tone(3)])
    model = FakeSpeechModel([decoded("one block", 0.1, 3.0)])
    transcript = transcript_of(write_wav(tmp_path / "long.wav", samples), model)

    assert len(model.requests) == 2
    assert [round(segment.end_s) for segment in transcript.segments] == [3, 656]


def test_speech_without_words_is_measured_and_warned_about(tmp_path: Path) -> None:
    samples = np.concatenate([tone(4), silence(3), tone(4)])
    transcript = transcript_of(
        write_wav(tmp_path / "half.wav", samples), [decoded("only the first half", 0, 4)]
    )

    assert transcript.uncovered_speech_s == pytest.approx(4.0, abs=0.1)
    assert "4.0 of 8.0 seconds of detected speech have no words" in transcript.warnings[0]


def test_speech_that_words_cover_is_not_warned_about(voice: Path) -> None:
    transcript = transcript_of(voice, [decoded("all of it is here", 0.4, 3.4)])

    assert transcript.uncovered_speech_s == pytest.approx(0.0, abs=0.01)
    assert transcript.warnings == ()


def test_confidence_is_the_mean_probability_of_the_words(voice: Path) -> None:
    segments = [decoded("a b", 0.4, 1, probability=0.9), decoded("c d", 1, 2, probability=0.5)]

    assert transcript_of(voice, segments).mean_word_probability == pytest.approx(0.7)


def test_a_doubtful_segment_stays_with_its_flag_and_is_counted(voice: Path) -> None:
    transcript = transcript_of(
        voice, [decoded("fine words", 0.4, 2), decoded("murmur", 2, 3, avg_logprob=-1.4)]
    )

    assert [segment.flags for segment in transcript.segments] == [frozenset(), {Flag.LOW_PROBABILITY}]
    assert transcript.warnings == ("1 of 2 segments are doubtful and are left out of scoring.",)


def test_a_loop_over_several_segments_is_flagged_in_the_transcript(voice: Path) -> None:
    segments = [decoded("I see that now.", 0.4 + i / 2, 0.9 + i / 2) for i in range(5)]

    assert all(Flag.REPETITION in segment.flags for segment in transcript_of(voice, segments).segments)


def test_no_segment_begins_before_the_last_one_ended(voice: Path) -> None:
    transcript = transcript_of(voice, [decoded("one two", 1, 3), decoded("three four", 2, 3.5)])
    words = [word for segment in transcript.segments for word in segment.words]

    assert all(before.end_s <= after.start_s for before, after in pairwise(words))


def test_a_segment_without_words_gets_words_with_interpolated_times(voice: Path) -> None:
    segment = transcript_of(voice, [decoded("three little words", 0.4, 3.4, words=[])]).segments[0]

    assert [word.text for word in segment.words] == ["three", "little", "words"]
    assert all(word.interpolated and word.probability is None for word in segment.words)


def test_text_of_blanks_is_no_segment(voice: Path) -> None:
    assert transcript_of(voice, [decoded("   ", words=[])]).segments == ()


def test_a_named_language_comes_back_without_a_probability(voice: Path) -> None:
    model = FakeSpeechModel([decoded("halo")])
    transcript = transcript_of(voice, model, TranscribeOptions(language_code="id-ID"))

    assert (model.decoded_in, model.detected_s) == (["id"], [])
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
        "The hotwords were longer than the model can take; only the beginning was used.",
    )


def test_bad_options_are_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    not_there = tmp_path / "missing.wav"

    with pytest.raises(InvalidInputError, match="beam size"):
        events_of(not_there, FakeSpeechModel(), TranscribeOptions(beam_size=99))


def test_a_set_stop_ends_the_work_at_the_next_segment(voice: Path) -> None:
    model = FakeSpeechModel([decoded(f"segment {i}", i / 5, (i + 1) / 5) for i in range(10)])
    stop = threading.Event()
    events = Transcriber(model, LoudnessDetector()).transcribe(voice, TranscribeOptions(), stop)
    for event in events:
        if isinstance(event, Segment):
            break
    stop.set()

    with pytest.raises(CancelledCallError) as raised:
        list(events)
    assert raised.value.reason == "CANCELLED"
    assert model.given_count == 2


def test_a_stop_before_the_start_decodes_nothing(voice: Path) -> None:
    stop = threading.Event()
    stop.set()
    model = FakeSpeechModel([decoded("words")])

    with pytest.raises(CancelledCallError):
        list(Transcriber(model, LoudnessDetector()).transcribe(voice, TranscribeOptions(), stop))
    assert model.requests == []


def test_too_long_a_recording_is_refused(voice: Path) -> None:
    transcriber = Transcriber(FakeSpeechModel(), LoudnessDetector(), max_duration_s=2.0)

    with pytest.raises(InvalidInputError) as raised:
        list(transcriber.transcribe(voice, TranscribeOptions(), threading.Event()))
    assert raised.value.reason == "MEDIA_TOO_LONG"


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
    samples = np.concatenate([tone(280), silence(4), tone(100)])
    transcript_of(write_wav(tmp_path / "long.wav", samples), model, TranscribeOptions(vad_disabled=True))

    assert model.heard_s == pytest.approx([282.0, 102.0], abs=0.1)


def test_the_translate_task_reaches_the_model(voice: Path) -> None:
    model = FakeSpeechModel([decoded("good morning")])
    transcript_of(voice, model, TranscribeOptions(task="translate"))

    assert model.requests[0].task == "translate"


def test_languages_are_listed_by_their_bcp47_codes() -> None:
    assert Transcriber(FakeSpeechModel(), LoudnessDetector()).language_codes == ["en", "id", "jv"]
