"""The design document's monolith, in our own words: one process, a stage after the other, its settings.

It has no server, no store and no queue, so it is as fast as it can be without doing something else. Its
thread pools are as it gains most: all cores for Whisper, one thread for voice windows, whose calls are tiny.
The pauses by loudness are left out, because they cost nothing that could be measured.
"""

from __future__ import annotations

import os
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from faster_whisper import WhisperModel, decode_audio

from benchmarks.speaker.baselines import design_voices
from benchmarks.transcriber.arms import DESIGN_DOCUMENT
from benchmarks.vision.baselines import design
from chassis.chat_completions import ChatClient, ChatRequest, ChatServer, Message
from chassis.deadline import Deadline
from chassis.models import locate
from chassis.settings import default_models_dir
from services.speaker.embedding import VoiceEncoder

Json = dict[str, Any]

SAMPLE_RATE_HZ = 16000
REPLY_TOKENS = 500
TEMPERATURE = 0.3
"""Both are the design document's for the assessment."""
CALL_TIMEOUT_S = 1800.0
OTHER_LANGUAGE = {"en": "Indonesian", "id": "English"}
INTERVIEWER = (
    "You are a professional interviewer. You assess an answer of a candidate, in English or Indonesian. "
    "Write four parts: 1. a summary in two or three sentences, 2. the quality from 1 to 10, 3. two or three "
    "strengths, 4. two or three areas to improve."
)
TRANSLATOR = (
    "You are a translator. Translate what you are given into {language}. Write the translation alone."
)


@dataclass
class Took:
    """What each stage took."""

    wall_s: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block for a stage."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        self.wall_s[name] = self.wall_s.get(name, 0.0) + time.perf_counter() - wall_s
        self.cpu_s[name] = self.cpu_s.get(name, 0.0) + time.process_time() - cpu_s


class Monolith:
    """The models, loaded once, as the design document's model holder does.

    Args:
        models: Asks a language model under a stage's name. None does without.
    """

    def __init__(self, models: Callable[[str], ChatClient] | None) -> None:
        folder = locate("whisper-base", default_models_dir()).folder
        threads = os.cpu_count() or 1
        self._whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
        self._encoder = VoiceEncoder(locate("voice-encoder", default_models_dir()).path)
        self._models = models

    def take(self, videos: Sequence[Path], questions: Sequence[str], language: str, folder: Path) -> Json:
        """Take a session as the document does: answer after answer, stage after stage."""
        took, begin_s, word_count = Took(), time.perf_counter(), 0
        for video, question in zip(videos, questions, strict=True):
            with took.stage("extract"):
                sound = _extract(video, folder / "sound.wav")
            with took.stage("transcribe"):
                text = self._transcribe(sound, language)
            word_count += len(text.split())
            if self._models is not None:
                with took.stage("translate"):
                    self._ask("translator", TRANSLATOR.format(language=OTHER_LANGUAGE[language]), text)
                with took.stage("assess"):
                    self._ask("assessor", INTERVIEWER, f"Question: {question}\nAnswer: {text}")
            with took.stage("vision"):
                design(video)
            with took.stage("speaker"):
                design_voices(self._encoder, sound)
        return {
            "wall_s": time.perf_counter() - begin_s,
            "stage_wall_s": took.wall_s,
            "stage_cpu_s": took.cpu_s,
            "words": word_count,
        }

    def look(self, videos: Sequence[Path], looks_per_s: float) -> Json:
        """Look at the picture alone: at all of it, as often a second as is given."""
        took = Took()
        for video in videos:
            every = max(1, round(_rate_hz(video) / looks_per_s))
            with took.stage("vision"):
                design(video, every=every, most=None)
        return {"wall_s": sum(took.wall_s.values()), "stage_wall_s": took.wall_s, "stage_cpu_s": took.cpu_s}

    def _transcribe(self, sound: Path, language: str) -> str:
        segments, _ = self._whisper.transcribe(str(sound), language=language, **DESIGN_DOCUMENT)
        return " ".join(segment.text.strip() for segment in segments)

    def _ask(self, stage: str, system: str, text: str) -> None:
        if self._models is None:
            raise RuntimeError("there is no language model")
        messages = (Message("system", system), Message("user", text))
        request = ChatRequest(messages, REPLY_TOKENS, temperature=TEMPERATURE)
        self._models(stage).complete(request, Deadline(CALL_TIMEOUT_S))


def client_of(proxy_url: str, model: str) -> Callable[[str], ChatClient]:
    """Return a client of the language model behind the proxy, for each stage under its name."""
    return lambda stage: ChatClient(
        ChatServer(f"{proxy_url}/{stage}/v1", model, attempt_timeout_s=CALL_TIMEOUT_S)
    )


def _extract(video: Path, target: Path) -> Path:
    samples = np.asarray(decode_audio(str(video), SAMPLE_RATE_HZ))
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes((samples * 32767).astype(np.int16).tobytes())
    return target


def _rate_hz(video: Path) -> float:
    capture = cv2.VideoCapture(str(video))
    try:
        return float(capture.get(cv2.CAP_PROP_FPS)) or 30.0
    finally:
        capture.release()
