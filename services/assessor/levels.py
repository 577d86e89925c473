"""From tags to levels: pure arithmetic, the same for every method. No model is ever asked for a level.

A level needs evidence: sentences that carry it. Without any there is none.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.assessor.rubric import HIGHEST_LEVEL, LOWEST_LEVEL, Criterion, Rule, Term
from services.assessor.tags import Tag, TaggedSentence

SEVERAL = 3
"""From this many on, more steps say nothing more: an answer is not better for being longer."""
SPREAD_DRAWS = 64
"""Draws from the tag probabilities: the standard deviation is then known to about a tenth of itself."""
SPREAD_SEED = 0
"""Fixed, so that the same probabilities always have the same spread."""


@dataclass(frozen=True)
class Level:
    """A level from 1.0 to 5.0, the sentences that carry it and how sure it is."""

    level: float
    evidence: tuple[TaggedSentence, ...]
    spread_levels: float | None
    by_question_words: bool = False
    """Rests on the question's words alone, not on what the sentences are."""

    def score(self) -> float:
        """Give the level as 0 to 100."""
        return level_to_score(self.level)


def level_to_score(level: float) -> float:
    """Map a level from 1–5 to 0–100."""
    return (level - LOWEST_LEVEL) / (HIGHEST_LEVEL - LOWEST_LEVEL) * 100


def find_level(
    criterion: Criterion,
    sentences: Sequence[TaggedSentence],
    *,
    check_level: float | None = None,
    highest: float = HIGHEST_LEVEL,
) -> Level | None:
    """Compute a criterion's level from the sentences that were not left out.

    Args:
        criterion: Whose rule and kinds of evidence to use.
        sentences: The tagged sentences, in the order in which they were said.
        check_level: The level by the criterion's checks, which is averaged in.
        highest: The highest level that the method can vouch for.

    Returns:
        The level, or None where no sentence carries one.
    """
    evidence = find_evidence(criterion, sentences)
    if not evidence or len(sentences) < criterion.least_sentences:
        return None
    level = level_by_rule(criterion.rule, sentences)
    if check_level is not None:
        level = (level + check_level) / 2
    return Level(min(level, highest), evidence, _spread(criterion.rule, sentences, check_level))


def find_evidence(criterion: Criterion, sentences: Sequence[TaggedSentence]) -> tuple[TaggedSentence, ...]:
    """Find the sentences that carry a level: those of the first group of tags that occurs.

    A tag that counts only beside another one is evidence only beside it.
    """
    present = {sentence.tag for sentence in sentences}
    idle = {
        tag
        for term in criterion.rule.terms
        if term.beside is not None and term.beside not in present
        for tag in term.tags
    }
    for group in criterion.evidence:
        found = tuple(
            sentence for sentence in sentences if sentence.tag in group and sentence.tag not in idle
        )
        if found:
            return found
    return ()


def level_by_rule(rule: Rule, sentences: Sequence[TaggedSentence]) -> float:
    """Apply a rule to at least one sentence. The result is clipped to 1–5."""
    level = rule.base + sum(term.weight * _figure(term, sentences) for term in rule.terms)
    return min(max(level, LOWEST_LEVEL), HIGHEST_LEVEL)


def _figure(term: Term, sentences: Sequence[TaggedSentence]) -> float:
    figure = _FIGURES[term.of](term.tags, sentences)
    return figure if term.beside is None else figure * _any((term.beside,), sentences)


def _share(tags: tuple[Tag, ...], sentences: Sequence[TaggedSentence]) -> float:
    return statistics.fmean(sentence.probability(*tags) for sentence in sentences)


def _any(tags: tuple[Tag, ...], sentences: Sequence[TaggedSentence]) -> float:
    return 1.0 - math.prod(1.0 - min(1.0, sentence.probability(*tags)) for sentence in sentences)


def _count(tags: tuple[Tag, ...], sentences: Sequence[TaggedSentence]) -> float:
    return min(1.0, sum(sentence.probability(*tags) for sentence in sentences))


def _several(tags: tuple[Tag, ...], sentences: Sequence[TaggedSentence]) -> float:
    expected = sum(sentence.probability(*tags) for sentence in sentences)
    return min(1.0, max(0.0, expected - 1.0) / (SEVERAL - 1))


def _parts(tags: tuple[Tag, ...], sentences: Sequence[TaggedSentence]) -> float:
    expected = sum(_any((tag,), sentences) for tag in tags)
    return max(0.0, expected - 1.0) / max(1, len(tags) - 1)


def _order(tags: tuple[Tag, ...], sentences: Sequence[TaggedSentence]) -> float:
    """Share of the pairs of sentences that stand in order. 0 without a pair."""
    before = dict.fromkeys(tags, 0.0)
    ordered = pairs = 0.0
    for sentence in sentences:
        for rank, tag in enumerate(tags):
            probability = sentence.probability(tag)
            ordered += probability * sum(before[earlier] for earlier in tags[: rank + 1])
            pairs += probability * sum(before.values())
        for tag in tags:
            before[tag] += sentence.probability(tag)
    return ordered / pairs if pairs else 0.0


_FIGURES: Mapping[str, Callable[[tuple[Tag, ...], Sequence[TaggedSentence]], float]] = {
    "share": _share,
    "any": _any,
    "count": _count,
    "several": _several,
    "parts": _parts,
    "order": _order,
}


def _spread(rule: Rule, sentences: Sequence[TaggedSentence], check_level: float | None) -> float | None:
    """Standard deviation of the level over draws from the tag probabilities. None without any."""
    if all(sentence.probabilities is None for sentence in sentences):
        return None
    draw = random.Random(SPREAD_SEED)  # noqa: S311 — statistics, not secrets
    levels = [
        level_by_rule(rule, [_drawn(sentence, draw) for sentence in sentences]) for _ in range(SPREAD_DRAWS)
    ]
    by_tags = statistics.pstdev(levels)
    return by_tags if check_level is None else by_tags / 2


def _drawn(sentence: TaggedSentence, draw: random.Random) -> TaggedSentence:
    if sentence.probabilities is None:
        return sentence
    (tag,) = draw.choices(list(sentence.probabilities), weights=list(sentence.probabilities.values()))
    return TaggedSentence(sentence.sentence, tag)
