"""Makes word times trustworthy: on the recording's clock, in order, positive, inside the recording.

Whisper hears the speech with the silences cut out, and its alignment may give words no length, put
them before their predecessors or past the end.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from services.transcriber.transcript import Span, Word

MIN_WORD_S = 0.02
"""Whisper's time step. A shorter word was not measured."""


class JoinedClock:
    """Turns times in joined spans (silences cut out) into times of the recording."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._offsets_s = [0.0, *accumulate(span.duration_s for span in spans[:-1])]

    def joined(self, others: Sequence[Span]) -> list[Span]:
        """Return what of `others` lies in the spans, in joined time. Both are in time order."""
        return [
            Span(max(span.start_s, other.start_s) + shift_s, min(span.end_s, other.end_s) + shift_s)
            for span, offset_s in zip(self._spans, self._offsets_s, strict=True)
            for shift_s in [offset_s - span.start_s]
            for other in others
            if min(span.end_s, other.end_s) > max(span.start_s, other.start_s)
        ]

    def to_recording(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Return both times on the recording's clock, inside the span that holds their middle.

        So nothing ever reaches into a silence that the model did not hear. Times that make no sense
        come back as they are.
        """
        middle_s = (start_s + end_s) / 2
        if not math.isfinite(middle_s):
            return start_s, end_s
        index = max(0, bisect_right(self._offsets_s, middle_s) - 1)
        span = self._spans[index]
        shift_s = span.start_s - self._offsets_s[index]
        return (
            min(max(start_s + shift_s, span.start_s), span.end_s),
            min(max(end_s + shift_s, span.start_s), span.end_s),
        )


@dataclass
class _Group:
    """Words that share one stretch."""

    start_s: float
    end_s: float
    words: list[Word]
    measured: bool = True
    """False where the stretch is not the first word's own."""


def sane_words(words: Sequence[Word], bounds: Span, fallback: Span) -> tuple[Word, ...]:
    """Return the words in time order inside `bounds`, each of positive length.

    A word whose times make no sense shares the stretch of its neighbour, and both are marked as
    interpolated. Where no word has a time that makes sense, they share `fallback`.
    """
    groups: list[_Group] = []
    untimed: list[Word] = []
    floor_s = bounds.start_s
    for word in words:
        start_s, end_s = max(word.start_s, floor_s), min(word.end_s, bounds.end_s)
        if math.isfinite(word.start_s + word.end_s) and end_s - start_s >= MIN_WORD_S:
            groups.append(_Group(start_s, end_s, [*untimed, word]))
            untimed, floor_s = [], end_s
        elif groups:
            groups[-1].words.append(word)
        else:  # nothing measured yet: these wait for the first word that was
            untimed.append(word)
    if untimed:
        groups.append(_Group(fallback.start_s, fallback.end_s, untimed, measured=False))
    return tuple(word for group in groups for word in _placed(group))


def without_times(text: str) -> list[Word]:
    """Return the words of a text that came without any times or probabilities."""
    return [Word(math.nan, math.nan, part, None) for part in text.split()]


def _placed(group: _Group) -> list[Word]:
    if group.measured and len(group.words) == 1:
        return [replace(group.words[0], start_s=group.start_s, end_s=group.end_s)]
    step_s = (group.end_s - group.start_s) / len(group.words)
    return [
        replace(
            word,
            start_s=group.start_s + index * step_s,
            end_s=group.end_s if index == len(group.words) - 1 else group.start_s + (index + 1) * step_s,
            interpolated=True,
        )
        for index, word in enumerate(group.words)
    ]
