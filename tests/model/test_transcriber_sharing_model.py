"""One model for many calls, with real weights: the words don't depend on who else is transcribed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from chassis.models import locate
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.first_pass import FirstPass
from services.transcriber.speech import SileroDetector
from services.transcriber.whisper import WhisperSpeechModel
from tests.fakes.transcriber import write_wav
from tests.spoken_words import DEMO, text_of, transcript_of, word_errors

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

CALLERS = 8


def _transcriber(models_dir: Path, max_batch_size: int) -> Transcriber:
    model = WhisperSpeechModel(
        locate("whisper-tiny.en", models_dir).folder,
        device="cpu",
        max_batch_size=max_batch_size,
        first_pass=FirstPass(),
    )
    return Transcriber(model, SileroDetector())


def _at_once(transcriber: Transcriber, recordings: list[Path]) -> list[str]:
    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(lambda path: text_of(transcript_of(transcriber, path)), recordings))


def test_callers_that_take_turns_get_the_words_that_each_gets_alone(models_dir: Path) -> None:
    transcriber = _transcriber(models_dir, 1)
    clips = [DEMO / "answer-1.mp4", DEMO / "answer-2.mp4"]
    alone = [text_of(transcript_of(transcriber, clip)) for clip in clips]

    assert _at_once(transcriber, clips * 2) == alone * 2


@pytest.mark.recordings
def test_batches_that_mix_callers_and_lengths_give_the_words_of_one_window_at_a_time(
    models_dir: Path, recordings: Path
) -> None:
    paths = sorted((recordings / "audio").glob("*.flac"))
    transcriber = _transcriber(models_dir, CALLERS)
    alone = [text_of(transcript_of(transcriber, path)) for path in paths]
    mixed = _at_once(transcriber, paths)
    spoken = [(one, other) for one, other in zip(alone, mixed, strict=True) if one]

    assert word_errors([one for one, _ in spoken], [other for _, other in spoken]) <= 0.02
    assert [bool(text) for text in mixed] == [bool(text) for text in alone]


@pytest.mark.recordings
def test_a_short_recording_does_not_wait_for_the_end_of_a_long_one(
    models_dir: Path, recordings: Path, tmp_path: Path
) -> None:
    from services.transcriber.audio import load_sound

    transcriber = _transcriber(models_dir, 1)
    speech = load_sound(recordings / "audio" / "single_male.flac", 60.0, threading.Event()).samples
    long = write_wav(tmp_path / "long.wav", np.tile(speech, 4))
    ended_s: dict[str, float] = {}

    def run(name: str, recording: Path) -> None:
        transcript_of(transcriber, recording, TranscribeOptions(language_code="en"))
        ended_s[name] = time.perf_counter()

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(run, "long", long), pool.submit(run, "short", DEMO / "answer-2.mp4")]
        for future in running:
            future.result(240)

    assert ended_s["short"] < ended_s["long"]
