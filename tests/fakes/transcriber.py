"""Stand-ins for Whisper and Silero, and recordings made on the spot."""

from __future__ import annotations

import threading
import wave
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from services.transcriber.audio import SAMPLE_RATE_HZ, Samples
from services.transcriber.decoding import DecodedSegment, DecodedWord, DecodeRequest, Piece
from services.transcriber.speech import FRAME_SAMPLES
from services.transcriber.transcript import Span


def decoded(
    text: str,
    start_s: float = 0.0,
    end_s: float = 1.0,
    *,
    words: Sequence[tuple[float, float, str]] | None = None,
    probability: float = 0.9,
    avg_logprob: float = -0.2,
    compression_ratio: float = 1.2,
) -> DecodedSegment:
    """A segment as a model gives it; words are spread evenly unless given."""
    parts = text.split()
    step_s = (end_s - start_s) / max(1, len(parts))
    timed = (
        words
        if words is not None
        else [(start_s + i * step_s, start_s + (i + 1) * step_s, part) for i, part in enumerate(parts)]
    )
    return DecodedSegment(
        start_s=start_s,
        end_s=end_s,
        text=" " + text,
        words=tuple(DecodedWord(start, end, " " + word, probability) for start, end, word in timed),
        avg_logprob=avg_logprob,
        no_speech_probability=0.02,
        compression_ratio=compression_ratio,
        temperature=0.0,
    )


class FakeSpeechModel:
    """Says what it was told to say, and remembers what it was asked."""

    def __init__(
        self,
        segments: Sequence[DecodedSegment] = (),
        *,
        language_codes: Collection[str] = ("en", "id", "jw"),
        max_hint_chars: int = 10_000,
        heard: Sequence[Mapping[str, float]] = ({"en": 0.97, "id": 0.02},),
        then: Sequence[DecodedSegment] | None = None,
        believes: Mapping[str, float] | None = None,
    ) -> None:
        self._segments = segments
        self._language_codes = language_codes
        self._max_hint_chars = max_hint_chars
        self.requests: list[DecodeRequest] = []
        self.heard_s: list[float] = []
        self.speech: list[Sequence[Span]] = []
        self.decoded_in: list[str] = []
        self.detected_s: list[float] = []
        self.tried: list[Sequence[str]] = []
        self._believes = believes or {}
        self._heard = heard
        self._then = then
        self.given_count = 0

    @property
    def language_codes(self) -> Collection[str]:
        return self._language_codes

    def fitting(self, text: str) -> str:
        return text[: self._max_hint_chars]

    def detect_language(self, speech: Samples, stop: threading.Event) -> Mapping[str, float]:
        """Say what was to be heard in the next stretch; the last one goes on without end."""
        self.detected_s.append(speech.size / SAMPLE_RATE_HZ)
        return self._heard[min(len(self.detected_s), len(self._heard)) - 1]

    def try_languages(
        self, speech: Samples, language_codes: Sequence[str], stop: threading.Event
    ) -> Mapping[str, float]:
        """Believe what it writes as much as it was told, or little."""
        self.tried.append(language_codes)
        return {code: self._believes.get(code, -1.0) for code in language_codes}

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: threading.Event
    ) -> Iterator[DecodedSegment]:
        self.requests.append(request)
        self.decoded_in.append(language_code)
        self.speech.append(piece.speech)
        self.heard_s.append(piece.samples.size / SAMPLE_RATE_HZ)
        segments = self._segments
        if self._then is not None and len(self.requests) > 1:
            segments = self._then
        for segment in segments:
            self.given_count += 1
            yield segment


class BlockingSpeechModel(FakeSpeechModel):
    """Gives its first segment, then waits until it is told to stop."""

    def __init__(self, segments: Sequence[DecodedSegment]) -> None:
        super().__init__(segments)
        self.stopped = threading.Event()

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: threading.Event
    ) -> Iterator[DecodedSegment]:
        first, *rest = self._segments
        yield first
        if stop.wait(10):
            self.stopped.set()
        yield from rest


class LoudnessDetector:
    """Calls every frame speech that is loud enough, so that a tone stands for a voice."""

    def stream(self) -> LoudnessStream:
        return LoudnessStream()


class LoudnessStream:
    """What `LoudnessDetector` keeps of one recording."""

    def __init__(self) -> None:
        self._left = np.zeros(0, np.float32)

    def take(self, samples: Samples) -> np.ndarray:
        samples = np.concatenate([self._left, samples])
        whole = samples.size // FRAME_SAMPLES * FRAME_SAMPLES
        self._left = samples[whole:]
        loud = np.sqrt(np.mean(samples[:whole].reshape(-1, FRAME_SAMPLES) ** 2, axis=1)) > 0.05
        return np.where(loud, 0.95, 0.05).astype(np.float32)

    def finish(self) -> np.ndarray:
        return self.take(np.zeros(-self._left.size % FRAME_SAMPLES, np.float32))


def tone(duration_s: float) -> np.ndarray:
    """A loud tone, which `LoudnessDetector` takes for a voice."""
    times_s = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.5 * np.sin(2 * np.pi * 200 * times_s)).astype(np.float32)


def silence(duration_s: float) -> np.ndarray:
    """Digital silence."""
    return np.zeros(round(duration_s * SAMPLE_RATE_HZ), dtype=np.float32)


def write_wav(path: Path, samples: np.ndarray, *, rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    """Write mono samples in [-1, 1] as a 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
