"""Cuts an answer into numbered sentences with times: the unit that every judgement cites.

Full stops decide where there are any. A stretch that has none is cut at its longest pause, where a segment
begins, before a joining word, or in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.assessor.answer import Segment
from services.assessor.sentence_ends import ends_sentence

LONGEST_WORDS = 40
"""A spoken sentence over this length is two that lack a full stop."""
LONGEST_UNPUNCTUATED_WORDS = 20
"""The same where a transcript has no punctuation at all: nothing else marks an end there."""
UNPUNCTUATED_FROM_WORDS = 12
"""A shorter answer without a full stop is taken as one sentence."""
SHORTEST_WORDS = 5
"""No cut leaves less than this: a shorter piece can't be judged alone."""
PAUSE_S = 0.4
"""A silence from this length on parts thoughts. Shorter ones part words."""
LONGEST_TOKEN_CHARACTERS = 80
"""No word of a language is longer. What is gets cut, so that it can't overflow a prompt."""


JOINING = (
    "and so but then because after when while which anyway well okay later finally eventually plus until "
    "dan jadi tapi tetapi lalu kemudian karena setelah ketika saat sehingga akhirnya terus trus nah makanya "
    "jadinya soalnya pas waktu sampai abis habis sejak"
)
JOINING_WORDS = frozenset(JOINING.split())
ANY_END = re.compile(r"[.?!…。！？]")
WIDE_END = re.compile(r"(?<=[。！？])")


@dataclass(frozen=True)
class Sentence:
    """One sentence of the answer. `id` runs from `s1`."""

    id: str
    text: str
    start_s: float | None = None
    end_s: float | None = None

    def word_count(self) -> int:
        """Count the words."""
        return len(self.text.split())


@dataclass(frozen=True)
class _Token:
    text: str
    start_s: float | None
    end_s: float | None
    opens_segment: bool = False


def split_sentences(segments: Sequence[Segment]) -> tuple[Sentence, ...]:
    """Cut an answer into its sentences, numbered from `s1` in the order in which they were said."""
    tokens = list(_tokens(segments))
    punctuated = any(ANY_END.search(token.text) for token in tokens)
    longest = (
        LONGEST_WORDS if punctuated or len(tokens) < UNPUNCTUATED_FROM_WORDS else LONGEST_UNPUNCTUATED_WORDS
    )
    pieces = (piece for stretch in _stretches(tokens) for piece in _shorten(stretch, longest))
    return tuple(_sentence(f"s{number}", piece) for number, piece in enumerate(pieces, start=1))


def _tokens(segments: Sequence[Segment]) -> Iterator[_Token]:
    for segment in segments:
        opens = True
        for token in _segment_tokens(segment):
            yield replace(token, opens_segment=True) if opens else token
            opens = False


def _segment_tokens(segment: Segment) -> Iterator[_Token]:
    if any(word.text.strip() for word in segment.words):
        for word in segment.words:
            yield from (_Token(part, word.start_s, word.end_s) for part in _parts(word.text))
    else:  # Only the whole is timed, so every word may lie anywhere in it.
        yield from (_Token(part, segment.start_s, segment.end_s) for part in _parts(segment.text))


def _parts(text: str) -> Iterator[str]:
    for part in WIDE_END.sub(" ", text).split():
        for start in range(0, len(part), LONGEST_TOKEN_CHARACTERS):
            yield part[start : start + LONGEST_TOKEN_CHARACTERS]


def _stretches(tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    stretch: list[_Token] = []
    for position, token in enumerate(tokens):
        stretch.append(token)
        following = tokens[position + 1].text if position + 1 < len(tokens) else None
        if following is None or ends_sentence(token.text, following):
            yield stretch
            stretch = []


def _shorten(stretch: list[_Token], longest: int) -> Iterator[list[_Token]]:
    waiting = [stretch]
    while waiting:
        piece = waiting.pop()
        if len(piece) <= longest:
            yield piece
        else:
            cut = _best_cut(piece)
            waiting += [piece[cut:], piece[:cut]]


def _best_cut(tokens: Sequence[_Token]) -> int:
    middle = len(tokens) / 2
    places = range(SHORTEST_WORDS, len(tokens) - SHORTEST_WORDS + 1)
    longest_pause = max(places, key=lambda place: (_pause_s(tokens, place), -abs(place - middle)))
    if _pause_s(tokens, longest_pause) >= PAUSE_S:
        return longest_pause
    joins = [place for place in places if _joins(tokens, place)]
    return min(joins or places, key=lambda place: abs(place - middle))


def _pause_s(tokens: Sequence[_Token], place: int) -> float:
    end_s, start_s = tokens[place - 1].end_s, tokens[place].start_s
    return 0.0 if end_s is None or start_s is None else start_s - end_s


def _joins(tokens: Sequence[_Token], place: int) -> bool:
    token = tokens[place]
    return (
        token.opens_segment
        or tokens[place - 1].text.endswith((",", ";", ":"))
        or token.text.lower() in JOINING_WORDS
    )


def _sentence(identifier: str, tokens: Sequence[_Token]) -> Sentence:
    starts = [token.start_s for token in tokens if token.start_s is not None]
    ends = [token.end_s for token in tokens if token.end_s is not None]
    return Sentence(
        id=identifier,
        text=" ".join(token.text for token in tokens),
        start_s=min(starts, default=None),
        end_s=max(ends, default=None),
    )
