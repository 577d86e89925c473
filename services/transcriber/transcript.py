"""What the transcriber reports: progress, segments, the transcript.

Times are seconds from the first sample of the recording, spans are half-open, probabilities 0 to 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from chassis.playback.recording_warnings import RecordingWarning


class Flag(Enum):
    """Why a segment deserves less trust. It stays in the transcript and is left out of scoring."""

    REPETITION = "repetition"
    HIGH_COMPRESSION = "high_compression"
    LOW_PROBABILITY = "low_probability"
    NO_SPEECH = "no_speech"
    UNEXPECTED_LANGUAGE = "unexpected_language"


class TranscriptOutcome(Enum):
    """Whether there was speech to write down."""

    OK = "ok"
    NO_SPEECH = "no_speech"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    """A voice was detected, but the model made no words of it."""


@dataclass(frozen=True)
class Span:
    """A stretch of the recording."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length of the stretch."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Word:
    """One word with its punctuation."""

    start_s: float
    end_s: float
    text: str
    probability: float | None
    """None where the model did not score it."""
    interpolated: bool = False
    """True where the times come from the neighbours, because the model's own made no sense."""


@dataclass(frozen=True)
class Segment:
    """Speech that the model emitted as one unit. Usually a sentence."""

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_probability: float
    compression_ratio: float
    temperature: float
    language_code: str
    language_probability: float | None
    """None where the caller named the language."""
    flags: frozenset[Flag] = frozenset()
    provisional: bool = False
    """Whether it was written before all of the recording was there. Never in a transcript."""


@dataclass(frozen=True)
class Progress:
    """How far the work has come."""

    done_s: float
    total_s: float | None
    """None while the recording still grows."""


@dataclass(frozen=True)
class Transcript:
    """Everything that was said in a recording."""

    segments: tuple[Segment, ...]
    language_code: str
    """Empty where nobody speaks."""
    language_probability: float | None
    duration_s: float
    speech_s: float
    uncovered_speech_s: float
    real_time_factor_ratio: float
    mean_word_probability: float | None
    outcome: TranscriptOutcome
    warnings: tuple[str, ...]
    recording_warnings: tuple[RecordingWarning, ...] = ()


Event = Progress | Segment | Transcript
"""What a transcription yields. The transcript comes last."""


def main_language(segments: Sequence[Segment]) -> tuple[str, float | None]:
    """Return the language of most of the speech and its mean probability, weighted by time."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for segment in segments:
        seconds[segment.language_code] += segment.end_s - segment.start_s
    if not seconds:
        return "", None
    language_code = max(seconds, key=lambda code: seconds[code])
    probable_s = 0.0
    for segment in segments:
        if segment.language_code == language_code:
            if segment.language_probability is None:
                return language_code, None
            probable_s += segment.language_probability * (segment.end_s - segment.start_s)
    return language_code, probable_s / seconds[language_code] if seconds[language_code] > 0 else None
