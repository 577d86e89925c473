"""What a judge's verdicts amount to beside the plan: ranks, errors, the pull of length, evidence.

Intervals are 95 % by bootstrap with a fixed seed: over answers, or over questions where ranks are compared
inside each question.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.assessor.corpus import Case
from benchmarks.assessor.judges import Verdict
from services.assessor.tags import Tag

DRAWS = 1000
SEED = 0
INTERVAL_PERCENT = (2.5, 97.5)
LEAST_ANSWERS = 4
"""Ranks of fewer answers correlate by accident."""
LEAST_VARIANCE = 1e-12
"""Below this a share of variance is rounding."""
KEY_TAGS = (Tag.ACTION, Tag.RESULT, Tag.LESSON)
"""What tells a good answer from a plain one: nearly every sentence of a good answer supports something."""

Pair = tuple[Case, Verdict]
Columns = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; None for what can't be computed from so few or such equal values."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Precision:
    """Share of the claims that hold, and what the same claims about random sentences would reach."""

    value: float
    chance: float
    claim_count: int


@dataclass(frozen=True)
class Figures:
    """Everything that is said about a judge."""

    answer_count: int
    adversarial_count: int
    judged_share: float
    pooled: Estimate
    within: Estimate
    adversarial: Estimate
    length_effect: Estimate
    mean_error: float | None
    evidence: Precision | None
    key_evidence: Precision | None


def measure(pairs: Sequence[Pair], *, gives_levels: bool = True) -> Figures:
    """Compute a judge's figures; one that counts words has no error in levels, and length is all it knows.

    Evidence is counted over all answers, errors over the ordinary ones that got a level, ranks over all
    ordinary ones.
    """
    ordinary = [pair for pair in pairs if pair[0].adversarial is None]
    adversarial = [pair for pair in pairs if pair[0].adversarial is not None]
    errors = [abs(verdict.level - case.level) for case, verdict in ordinary if verdict.judged]
    return Figures(
        answer_count=len(ordinary),
        adversarial_count=len(adversarial),
        judged_share=float(np.mean([verdict.judged for _, verdict in pairs])) if pairs else 0.0,
        pooled=estimate(to_columns(ordinary), rank_correlation),
        within=_within_questions(ordinary),
        adversarial=estimate(to_columns(adversarial), rank_correlation),
        length_effect=estimate(to_columns(ordinary), length_effect) if gives_levels else Estimate(None),
        mean_error=float(np.mean(errors)) if errors and gives_levels else None,
        evidence=precision(pairs, tuple(Tag)),
        key_evidence=precision(pairs, KEY_TAGS),
    )


def rank_correlation(columns: Columns) -> Columns:
    """Correlate the ranks of the levels with those of the plan."""
    plan, _, levels = columns
    return _spearman(plan, levels)


def length_effect(columns: Columns) -> Columns:
    """Correlate the ranks of levels and lengths among answers of the same plan."""
    plan, words, levels = columns
    with_words, with_plan, planned = _spearman(levels, words), _spearman(levels, plan), _spearman(words, plan)
    unexplained = (1 - with_plan**2) * (1 - planned**2)
    # A judge that follows the plan exactly leaves nothing for length to explain.
    unexplained = np.where(unexplained > LEAST_VARIANCE, unexplained, np.nan)
    return (with_words - with_plan * planned) / np.sqrt(unexplained)


def estimate(columns: Columns, figure: Callable[[Columns], Columns]) -> Estimate:
    """Compute a figure over the last axis and, by drawing from it again and again, its interval."""
    count = columns.shape[-1]
    value = float(figure(columns)) if count else math.nan
    if math.isnan(value):
        return Estimate(None)
    places = np.random.default_rng(SEED).integers(count, size=(DRAWS, count))
    low, high = np.nanpercentile(figure(columns[..., places]), INTERVAL_PERCENT)
    return Estimate(value, float(low), float(high))


def to_columns(pairs: Sequence[Pair]) -> Columns:
    """Give the plan, the words and the levels of all answers as three rows."""
    rows = [(case.level, case.word_count(), verdict.level) for case, verdict in pairs]
    return np.array(rows, dtype=float).reshape(-1, 3).T


def precision(pairs: Sequence[Pair], tags: Sequence[Tag]) -> Precision | None:
    """Compute how many of the claims of these tags hold; None without any."""
    hits, chance, count = 0, 0.0, 0
    for case, verdict in pairs:
        labels = [sentence.tag for sentence in case.sentences]
        for claim in verdict.claims:
            if claim.tag in tags:
                count += 1
                hits += labels[claim.place] is claim.tag
                chance += labels.count(claim.tag) / len(labels)
    return Precision(hits / count, chance / count, count) if count else None


def _within_questions(pairs: Sequence[Pair]) -> Estimate:
    questions: dict[str, list[Pair]] = defaultdict(list)
    for case, verdict in pairs:
        questions[case.question_id].append((case, verdict))
    correlations = np.array([rank_correlation(to_columns(answers)) for answers in questions.values()])
    return estimate(correlations[~np.isnan(correlations)], lambda values: values.mean(axis=-1))


def _spearman(left: Columns, right: Columns) -> Columns:
    """Correlate ranks over the last axis; NaN for too few answers or where all are equal."""
    if left.shape[-1] < LEAST_ANSWERS:
        return np.full(left.shape[:-1], np.nan)
    one, other = _centred_ranks(left), _centred_ranks(right)
    variance = (one**2).sum(axis=-1) * (other**2).sum(axis=-1)
    covariance: Columns = (one * other).sum(axis=-1)
    return covariance / np.sqrt(np.where(variance > 0, variance, np.nan))


def _centred_ranks(values: Columns) -> Columns:
    ranks = stats.rankdata(values, axis=-1)
    centred: Columns = ranks - ranks.mean(axis=-1, keepdims=True)
    return centred
