"""What is said in a recording is written down while it arrives, and in the end as of the whole one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chassis.growing import is_growing
from services.transcriber.audio import SAMPLE_RATE_HZ, Samples
from services.transcriber.decoding import DecodedSegment, DecodeRequest, Piece
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.language_check import OnContradiction
from services.transcriber.transcript import Event, Segment, Transcript
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector, decoded, silence, tone, write_wav
from tests.growing_files import growing

ENGLISH = TranscribeOptions(language_code="en")
UNNAMED = TranscribeOptions()


class ExactModel(FakeSpeechModel):
    """Says something else of every other piece: what it says tells the samples that it heard."""

    def detect_language(self, speech: Samples, stop: threading.Event) -> Mapping[str, float]:
        self.detected_s.append(speech.size / SAMPLE_RATE_HZ)
        likely = "en" if hashlib.sha256(speech.tobytes()).digest()[0] < 200 else "id"
        return {likely: 0.9, "jw": 0.05}

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: threading.Event
    ) -> Iterator[DecodedSegment]:
        self.heard_s.append(piece.samples.size / SAMPLE_RATE_HZ)
        name = hashlib.sha256(piece.samples.tobytes()).hexdigest()
        yield decoded(f"{language_code} {name} {len(piece.speech)}", 0.1, self.heard_s[-1] - 0.1)


class UnsureModel(ExactModel):
    """Hears Javanese or Indonesian in every stretch, and believes what it writes by its samples."""

    def detect_language(self, speech: Samples, stop: threading.Event) -> Mapping[str, float]:
        self.detected_s.append(speech.size / SAMPLE_RATE_HZ)
        return {"id": 0.45, "jw": 0.5, "en": 0.01}

    def try_languages(
        self, speech: Samples, language_codes: Sequence[str], stop: threading.Event
    ) -> Mapping[str, float]:
        digest = hashlib.sha256(speech.tobytes()).digest()
        return {code: -1.0 + digest[place] / 256 for place, code in enumerate(language_codes)}


PAUSES_S = (0.2, 0.5, 1.0, 2.5, 6.0)


def conversation(seed: int, voice_count: int, pauses_s: Sequence[float] = PAUSES_S) -> np.ndarray:
    generator = np.random.default_rng(seed)
    parts = [silence(float(generator.uniform(0, 3)))]
    for _ in range(voice_count):
        parts += [tone(float(generator.uniform(0.3, 9))) * np.float32(generator.uniform(0.4, 1))]
        parts += [silence(float(generator.choice(pauses_s)))]
    return np.concatenate(parts)


def events_of(
    path: Path, options: TranscribeOptions, model: FakeSpeechModel | None = None
) -> list[tuple[bool, Event]]:
    """The events, each with whether the recording still grew when it came."""
    transcriber = Transcriber(model or ExactModel(), LoudnessDetector())
    events = transcriber.transcribe(path, options, threading.Event())
    return [(is_growing(path), event) for event in events]


def transcript_of(events: list[tuple[bool, Event]]) -> Transcript:
    _, last = events[-1]
    assert isinstance(last, Transcript)
    return replace(last, real_time_factor_ratio=0.0)


def segments_of(events: list[tuple[bool, Event]]) -> list[Segment]:
    return [event for _, event in events if isinstance(event, Segment)]


@pytest.mark.parametrize("options", [ENGLISH, UNNAMED, replace(ENGLISH, vad_disabled=True)])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_transcript_is_that_of_the_whole_recording(
    options: TranscribeOptions, seed: int, tmp_path: Path
) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(seed, 25))
    with growing(tmp_path / "recording", whole.read_bytes(), seed=seed) as path:
        events = events_of(path, options)

    assert transcript_of(events) == transcript_of(events_of(whole, options))


@pytest.mark.parametrize("options", [ENGLISH, UNNAMED])
@pytest.mark.parametrize("rule", ["warn", "switch"])
def test_so_it_is_where_languages_are_tried_and_the_named_one_is_checked(
    options: TranscribeOptions, rule: OnContradiction, tmp_path: Path
) -> None:
    def last_of(path: Path) -> Transcript:
        transcriber = Transcriber(
            UnsureModel(),
            LoudnessDetector(),
            expected_language_codes=["en", "id"],
            on_contradiction=rule,
        )
        *_, last = transcriber.transcribe(path, options, threading.Event())
        assert isinstance(last, Transcript)
        return replace(last, real_time_factor_ratio=0.0)

    whole = write_wav(tmp_path / "whole.wav", conversation(4, 25))
    with growing(tmp_path / "recording", whole.read_bytes(), seed=4) as path:
        assert last_of(path) == last_of(whole)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_recording_of_several_blocks_is_that_of_the_whole_too(seed: int, tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(seed, 110))
    with growing(tmp_path / "recording", whole.read_bytes(), seed=seed, pause_s=0.05) as path:
        events = events_of(path, UNNAMED)

    assert transcript_of(events) == transcript_of(events_of(whole, UNNAMED))


def test_words_come_while_the_recording_grows_and_are_marked(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(5, 20))
    seen: list[tuple[bool, Segment]] = []
    model = ExactModel()
    with growing(tmp_path / "recording", whole.read_bytes(), goes_on=lambda: bool(seen)) as path:
        for event in Transcriber(model, LoudnessDetector()).transcribe(path, ENGLISH, threading.Event()):
            seen += [(is_growing(path), event)] if isinstance(event, Segment) else []
    grows, first = seen[0]

    assert (grows, first.provisional) == (True, True)


def test_what_was_heard_early_is_neither_heard_nor_told_again(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(6, 30, (0.2, 0.5, 1.0)))
    model, at_the_end = ExactModel(), ExactModel()
    events: list[tuple[bool, Event]] = []
    seen = lambda: bool(segments_of(events))  # noqa: E731
    with growing(tmp_path / "recording", whole.read_bytes(), goes_on=seen) as path:
        transcriber = Transcriber(model, LoudnessDetector())
        events += ((True, event) for event in transcriber.transcribe(path, ENGLISH, threading.Event()))
    expected = events_of(whole, ENGLISH, at_the_end)
    told = [replace(segment, provisional=False) for segment in segments_of(events)]

    assert any(segment.provisional for segment in segments_of(events))
    assert len(model.heard_s) == len(at_the_end.heard_s)
    assert set(told) >= set(transcript_of(expected).segments)
    assert len(told) == len(set(told))


def test_a_transcript_holds_nothing_provisional(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(7, 20))
    with growing(tmp_path / "recording", whole.read_bytes(), pause_s=0.05) as path:
        transcript = transcript_of(events_of(path, ENGLISH))

    assert not any(segment.provisional for segment in transcript.segments)


def test_what_is_said_before_a_long_pause_is_written_down_in_it(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", np.concatenate([tone(3), silence(30)]))
    seen: list[bool] = []
    with growing(tmp_path / "recording", whole.read_bytes(), goes_on=lambda: bool(seen)) as path:
        events = Transcriber(ExactModel(), LoudnessDetector()).transcribe(path, ENGLISH, threading.Event())
        for event in events:
            seen += [is_growing(path)] if isinstance(event, Segment) else []

    assert seen == [True]


def test_time_that_is_spent_waiting_for_the_rest_is_no_work(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(8, 3))
    with growing(tmp_path / "recording", whole.read_bytes(), pause_s=0.2) as path:
        (_, last) = events_of(path, ENGLISH)[-1]

    assert isinstance(last, Transcript)
    assert last.real_time_factor_ratio * last.duration_s < 3.0  # it grew for four seconds


def test_a_whole_recording_has_no_provisional_segments(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", conversation(9, 10))

    assert not any(segment.provisional for segment in segments_of(events_of(whole, ENGLISH)))
