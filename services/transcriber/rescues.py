"""What is tried with a window that the model is not sure of: other ways to search, never chance.

The library draws words at random there, from a generator that CTranslate2 seeds once in a thread: each call
gives another text. A search gives the same words for the same sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from faster_whisper.transcribe import TranscriptionOptions

from services.transcriber.guards import repeats_itself

NO_SPEECH_PROBABILITY, MIN_AVG_LOGPROB = 0.6, -1.0
"""The library's own rule: above the one and below the other, a window is silent."""
MAX_COMPRESSION_RATIO = 2.4
"""The library's own bound: above it a text repeats itself."""
AS_TRAINED: Mapping[str, Any] = {}
WITHOUT_LOOPS: Mapping[str, Any] = {"no_repeat_ngram_size": 4}
"""No four tokens twice. It ends a loop, and leaves a speaker who says a word twice alone."""
PLAINLY: Mapping[str, Any] = {"beam_size": 1, "repetition_penalty": 1.1}
"""One candidate, and a price on what was written already: another way through a window where beams fail."""
RESCUES: Sequence[Mapping[str, Any]] = (AS_TRAINED, WITHOUT_LOOPS, PLAINLY)
"""In the order in which they are tried."""


@dataclass(frozen=True)
class Attempt:
    """What the model made of one window."""

    encoded: Any
    result: Any
    text: str
    """Without time stamps."""
    avg_logprob: float
    temperature: float
    compression_ratio: float

    @property
    def is_silent(self) -> bool:
        """Whether nobody speaks, as the library tells it."""
        return self.result.no_speech_prob > NO_SPEECH_PROBABILITY and self.avg_logprob <= MIN_AVG_LOGPROB

    @property
    def is_loop(self) -> bool:
        """Whether the text repeats itself."""
        return self.compression_ratio > MAX_COMPRESSION_RATIO or repeats_itself(self.text.split())

    @property
    def is_kept(self) -> bool:
        """Whether nothing else is tried."""
        return self.is_silent or (not self.is_loop and self.avg_logprob >= MIN_AVG_LOGPROB)


def rescued(make: Callable[[TranscriptionOptions], Attempt], options: TranscriptionOptions) -> Attempt:
    """Return the first attempt that can be kept, or the most probable one. A loop only where all are loops.

    Args:
        make: Decodes the window.
        options: What was asked for.
    """
    tried: list[Attempt] = []
    for rescue in RESCUES:
        attempt = make(replace(options, **rescue))
        if attempt.is_kept:
            return attempt
        tried.append(attempt)
    return max([one for one in tried if not one.is_loop] or tried, key=lambda one: one.avg_logprob)
