"""The same bytes give the same words, also where the model is not sure and beside other work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import decode_audio

from services.transcriber.audio import SAMPLE_RATE_HZ
from services.transcriber.engine import TranscribeOptions, Transcriber
from tests.fakes.transcriber import write_wav
from tests.spoken_words import DEMO, text_of, transcript_of
from tests.transcriber_weights import loaded, noise

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

CALLS = 20
SPEECH_S = 5.0
SIGNAL_OVER_NOISE = 0.35
"""So loud is the voice under the music: the model doubts what it writes, and tries again."""


@pytest.fixture(scope="module")
def tiny_en(models_dir: Path) -> Transcriber:
    return loaded("whisper-tiny.en", models_dir)


@pytest.fixture
def voice_in_music(tmp_path: Path) -> Path:
    voice = np.asarray(decode_audio(str(DEMO / "answer-1.mp4")))[: round(SPEECH_S * SAMPLE_RATE_HZ)]
    music = noise("melody", SPEECH_S)
    mixed = voice * np.float32(SIGNAL_OVER_NOISE * _level(music) / _level(voice)) + music
    return write_wav(tmp_path / "mixed.wav", (mixed * np.float32(0.9 / np.abs(mixed).max())))


def test_a_doubtful_recording_has_one_text_in_twenty_calls(
    tiny_en: Transcriber, voice_in_music: Path
) -> None:
    with _busy(tiny_en, voice_in_music):
        texts = {text_of(transcript_of(tiny_en, voice_in_music, TranscribeOptions())) for _ in range(CALLS)}

    assert len(texts) == 1


def _level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


@contextmanager
def _busy(transcriber: Transcriber, recording: Path) -> Iterator[None]:
    """Keep the model at work for another caller."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            transcript_of(transcriber, recording, TranscribeOptions())

    other = threading.Thread(target=work, daemon=True)
    other.start()
    try:
        yield
    finally:
        done.set()
        other.join()
