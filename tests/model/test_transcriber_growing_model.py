"""Real weights on recordings that still arrive: the words are those of the whole recording."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chassis.growing import is_growing
from services.transcriber.audio import load_sound
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Event, Segment, Transcript
from tests.fakes.transcriber import write_wav
from tests.growing_files import growing
from tests.transcriber_weights import loaded

pytestmark = [pytest.mark.model, pytest.mark.recordings]


@pytest.fixture(scope="module")
def base(models_dir: Path) -> Transcriber:
    return loaded("whisper-base", models_dir)


def transcript_of(events: list[Event]) -> Transcript:
    assert isinstance(events[-1], Transcript)
    return replace(events[-1], real_time_factor_ratio=0.0)


def events_of(transcriber: Transcriber, path: Path, language_code: str) -> list[Event]:
    options = TranscribeOptions(language_code=language_code)
    return list(transcriber.transcribe(path, options, threading.Event()))


@pytest.mark.parametrize("language_code", ["en", ""])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_webm_that_grows_gives_the_words_of_the_whole_file(
    base: Transcriber, recordings: Path, tmp_path: Path, language_code: str, seed: int
) -> None:
    whole = recordings / "interview" / "second_voice.webm"
    with growing(tmp_path / "recording", whole.read_bytes(), seed=seed, pause_s=0.3) as path:
        events = events_of(base, path, language_code)

    assert transcript_of(events) == transcript_of(events_of(base, whole, language_code))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_wav_that_grows_gives_the_words_of_the_whole_file(
    base: Transcriber, recordings: Path, tmp_path: Path, seed: int
) -> None:
    samples = load_sound(recordings / "audio" / "single_male.flac", 60.0, threading.Event()).samples
    whole = write_wav(tmp_path / "whole.wav", np.array(samples))
    with growing(tmp_path / "recording", whole.read_bytes(), seed=seed, pause_s=0.5) as path:
        events, early = [], 0
        options = TranscribeOptions(language_code="en")
        for event in base.transcribe(path, options, threading.Event()):
            early += isinstance(event, Segment) and is_growing(path)
            events.append(event)

    assert early > 0
    assert transcript_of(events) == transcript_of(events_of(base, whole, "en"))
