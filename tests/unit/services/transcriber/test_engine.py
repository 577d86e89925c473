"""The transcriber's engine on a fake model: what comes out, in which order, and what is refused."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import CancelledCallError, InvalidInputError
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Flag, Progress, Segment, Transcript, TranscriptOutcome
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


def test_a_long_answer_is_heard_in_pieces_cut_in_its_pauses_on_one_clock(tmp_path: Path) -> None:
    samples = np.concatenate([tone(12), silence(1), tone(12), silence(1), tone(12)])
    model = FakeSpeechModel([decoded("one piece", 0.2, 12.0)])
    transcript = transcript_of(write_wav(tmp_path / "long.wav", samples), model)

    assert model.heard_s == pytest.approx([12.5, 13.0, 12.5], abs=0.1)
    assert [round(segment.start_s, 1) for segment in transcript.segments] == [0.2, 12.7, 25.7]


def test_a_piece_says_where_in_it_somebody_speaks(tmp_path: Path) -> None:
    samples = np.concatenate([silence(4), tone(2), silence(6), tone(2), silence(1)])
    model = FakeSpeechModel([])
    transcript_of(write_wav(tmp_path / "pauses.wav", samples), model)
    (speech,) = model.speech

    assert [(span.start_s, span.end_s) for span in speech] == [
        pytest.approx((0.4, 2.4), abs=0.05), pytest.approx((3.2, 5.2), abs=0.05),
    ]  # fmt: skip


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
    assert transcript.warnings == ("Doubtful segments are left out of scoring: 1 of 2.",)


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
