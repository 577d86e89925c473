"""What the engine needs of a speech model, and what it gets back. Times are those of the piece."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Literal, Protocol

from services.transcriber.audio import Samples
from services.transcriber.transcript import Span

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True)
class DecodeRequest:
    """How to turn speech into words."""

    language_code: str | None
    """Whisper's code. None where it is to be detected."""
    task: Task
    beam_size: int
    hotwords: str
    prompt: str


@dataclass(frozen=True)
class Piece:
    """What the model hears at once."""

    samples: Samples
    speech: Sequence[Span]
    """Where somebody speaks in it, from its first sample on, in time order."""


@dataclass(frozen=True)
class DecodedWord:
    """A word as the model gave it. Nothing about its times is certain."""

    start_s: float
    end_s: float
    text: str
    probability: float


@dataclass(frozen=True)
class DecodedSegment:
    """A segment as the model gave it."""

    start_s: float
    end_s: float
    text: str
    words: tuple[DecodedWord, ...]
    avg_logprob: float
    no_speech_probability: float
    compression_ratio: float
    temperature: float


class SpeechModel(Protocol):
    """Turns speech into words."""

    @property
    def language_codes(self) -> Collection[str]:
        """Whisper's codes of the languages that the model understands."""
        ...

    def fitting(self, text: str) -> str:
        """Return as much of the beginning of hotwords or a prompt as the model can take."""
        ...

    def detect_language(self, speech: Samples, stop: Event) -> Mapping[str, float]:
        """Return the probability of each language (Whisper's code) in up to 10 s of speech."""
        ...

    def try_languages(
        self, speech: Samples, language_codes: Sequence[str], stop: Event
    ) -> Mapping[str, float]:
        """Return the mean log-probability of what it writes of up to 10 s in each of these languages."""
        ...

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: Event
    ) -> Iterator[DecodedSegment]:
        """Yield segments as they are decoded. Raises `CancelledCallError` once `stop` is set."""
        ...
