"""Decides which segments deserve less trust. Nothing is dropped: a segment gets flags and stays."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.transcriber.speech import overlap_s, total_s
from services.transcriber.transcript import Flag, Segment, Span, Word

TIMING_TOLERANCE_S = 0.2
"""Whisper's word times are off by about this much. Speech reaches this far around detected speech."""
MAX_PHRASE_WORDS = 10
"""Longer loops are caught by the compression ratio."""


@dataclass(frozen=True)
class GuardRules:
    """When a segment is flagged."""

    max_compression_ratio: float = 2.4
    """Whisper's own threshold for text that repeats itself."""
    min_avg_logprob: float = -1.0
    """Whisper's own threshold for text that it does not believe itself."""
    min_word_probability: float = 0.35
    """Mean over the words of a segment."""
    min_voiced_ratio: float = 0.25
    """Share of the words' time that must lie in detected speech."""
    max_uncovered_ratio: float = 0.1
    """Share of detected speech without words from which on the reader is warned."""


def flags_of(segment: Segment, speech: Sequence[Span], rules: GuardRules) -> frozenset[Flag]:
    """Return what speaks against one segment, seen alone."""
    probabilities = [word.probability for word in segment.words if word.probability is not None]
    mean_probability = sum(probabilities) / len(probabilities) if probabilities else 0.0
    found = {
        Flag.REPETITION: repeats_itself([word.text for word in segment.words]),
        Flag.HIGH_COMPRESSION: segment.compression_ratio > rules.max_compression_ratio,
        Flag.LOW_PROBABILITY: segment.avg_logprob < rules.min_avg_logprob
        or mean_probability < rules.min_word_probability,
        Flag.NO_SPEECH: voiced_ratio(segment.words, speech) < rules.min_voiced_ratio,
    }
    return frozenset(flag for flag, raised in found.items() if raised)


def flag_loops(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Flag runs of segments that say the same: a decoding loop that spans several segments."""
    flagged = list(segments)
    start = 0
    for end in range(1, len(segments) + 1):
        if end < len(segments) and _phrase(segments[end]) == _phrase(segments[start]):
            continue
        if end - start >= _repeats_needed(len(segments[start].words)):
            for index in range(start, end):
                flagged[index] = replace(flagged[index], flags=flagged[index].flags | {Flag.REPETITION})
        start = end
    return tuple(flagged)


def repeats_itself(words: Sequence[str]) -> bool:
    """Tell whether a phrase comes so often in a row that nobody would say it."""
    spoken = [_normal(word) for word in words]
    for size in range(1, min(MAX_PHRASE_WORDS, len(spoken) // 2) + 1):
        equal_words = 0
        for index in range(size, len(spoken)):
            equal_words = equal_words + 1 if spoken[index] == spoken[index - size] else 0
            if equal_words >= size * (_repeats_needed(size) - 1):
                return True
    return False


def voiced_ratio(words: Sequence[Word], speech: Sequence[Span]) -> float:
    """Return the share of the words' time that lies in detected speech, 0 to 1."""
    spans = [Span(word.start_s, word.end_s) for word in words]
    voiced = _widened(speech)
    all_s = total_s(spans)
    return sum(overlap_s(span, voiced) for span in spans) / all_s if all_s > 0 else 0.0


def uncovered_s(words: Sequence[Word], speech: Sequence[Span]) -> float:
    """Return the seconds of detected speech that no word covers."""
    covered = _widened([Span(word.start_s, word.end_s) for word in words])
    return sum(max(0.0, span.duration_s - overlap_s(span, covered)) for span in speech)


def _widened(spans: Sequence[Span]) -> list[Span]:
    """Widen time-ordered spans by the tolerance and join those that then touch."""
    widened: list[Span] = []
    for span in spans:
        start_s, end_s = span.start_s - TIMING_TOLERANCE_S, span.end_s + TIMING_TOLERANCE_S
        if widened and start_s <= widened[-1].end_s:
            widened[-1] = Span(widened[-1].start_s, max(widened[-1].end_s, end_s))
        else:
            widened.append(Span(start_s, end_s))
    return widened


def _repeats_needed(phrase_words: int) -> int:
    """How often in a row a phrase is a loop. People stutter words, but don't repeat sentences."""
    return 6 if phrase_words == 1 else 4 if phrase_words <= 3 else 3


def _phrase(segment: Segment) -> list[str]:
    return [_normal(word.text) for word in segment.words]


def _normal(word: str) -> str:
    kept = "".join(char for char in word if unicodedata.category(char)[0] in "LMNS")
    return kept.casefold()
