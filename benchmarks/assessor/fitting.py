"""Fits what turns cues and tags into kinds of sentences, and kinds into levels.

Levels are fitted to kinds of sentences as they come out for answers that the kinds were not fitted to.
Otherwise they would trust them more than they deserve. Ridge and signs keep both from guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from benchmarks.assessor.described import TAGS, Columns, Described
from services.assessor.account import describe, names
from services.assessor.ordinal import level_at

KIND_RIDGE = 1.0
LEVEL_RIDGE = 0.3
KIND_STEPS = 60
LEVEL_STEPS = 200
LOWERING = frozenset(
    {
        "offtopic_share",
        "general_share",
        "hollow_share",
        "echo_share",
        "repeat_share",
        "evasive_share",
        "others_share",
        "chatter_share",
        "habit_share",
    }
)
"""Figures that may only lower a level. All others may only raise it."""
FIGURES = names()
STEPS_OF_LEVEL = 4


@dataclass(frozen=True)
class Kinds:
    """Fitted weights: a row an input, a column a tag; and an intercept a tag."""

    weights: Columns
    intercepts: Columns

    def of(self, answer: Described) -> Columns:
        """Give the probability of each tag (columns) for each sentence (rows)."""
        return _softmax(answer.inputs @ self.weights + self.intercepts)


@dataclass(frozen=True)
class Levels:
    """Fitted weights of the figures, and the four thresholds between neighbouring levels."""

    weights: Columns
    thresholds: Columns

    def of(self, figures: Columns) -> Columns:
        """Give the levels of answers (rows of figures)."""
        thresholds = [float(threshold) for threshold in self.thresholds]
        return np.array([level_at(float(total), thresholds) for total in figures @ self.weights])


@dataclass(frozen=True)
class Fitted:
    """Both."""

    kinds: Kinds
    levels: Levels


def fit(answers: Sequence[Described], check_figure: Callable[[Described], float]) -> Fitted:
    """Fit kinds and levels to some answers, of several authors if there are."""
    kinds = fit_kinds(answers)
    rows: list[Columns] = []
    fitted_to: list[int] = []
    for held_out in _halves(answers):
        others = [answer for answer in answers if answer.case.id not in held_out]
        halved = fit_kinds(others)
        for answer in answers:
            if answer.case.id in held_out:
                rows.append(figures_of(answer, halved.of(answer), check_figure(answer)))
                fitted_to.append(answer.case.level)
    return Fitted(kinds, fit_levels(np.array(rows), np.array(fitted_to)))


def fit_kinds(answers: Sequence[Described]) -> Kinds:
    """Fit a softmax regression of labels on inputs."""
    inputs = np.vstack([answer.inputs for answer in answers])
    labels = np.concatenate([answer.labels for answer in answers])
    hits = np.eye(len(TAGS))[labels]
    centre = inputs.mean(axis=0)
    centred = inputs - centre
    width = inputs.shape[1]

    def loss(flat: Columns) -> tuple[float, Columns]:
        weights = flat[:-6].reshape(width, len(TAGS))
        probabilities = _softmax(centred @ weights + flat[-6:])
        value = -np.log(np.maximum((probabilities * hits).sum(axis=1), 1e-12)).sum()
        error = probabilities - hits
        gradient = np.concatenate([(centred.T @ error + KIND_RIDGE * weights).ravel(), error.sum(axis=0)])
        return float(value + KIND_RIDGE / 2 * (weights**2).sum()), gradient

    start = np.zeros((width + 1) * len(TAGS))
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": KIND_STEPS}).x
    weights = found[:-6].reshape(width, len(TAGS))
    return Kinds(weights, found[-6:] - centre @ weights)


def fit_levels(figures: Columns, levels: NDArray[np.int_]) -> Levels:
    """Fit a proportional-odds regression whose weights keep their signs."""
    count = figures.shape[1]
    centre = figures.mean(axis=0)
    centred = figures - centre
    above = levels[:, None] >= np.arange(2, 2 + STEPS_OF_LEVEL)

    def loss(flat: Columns) -> tuple[float, Columns]:
        weights, gaps = flat[:count], np.exp(flat[count + 1 :])
        thresholds = flat[count] + np.concatenate([[0.0], np.cumsum(gaps)])
        probabilities = _sigmoid((centred @ weights)[:, None] - thresholds)
        likelihood = np.where(above, probabilities, 1 - probabilities)
        error = probabilities - above
        by_threshold = -error.sum(axis=0)
        gradient = np.concatenate(
            [
                centred.T @ error.sum(axis=1) + LEVEL_RIDGE * weights,
                [by_threshold.sum()],
                [by_threshold[place + 1 :].sum() * gap for place, gap in enumerate(gaps)],
            ]
        )
        value = -np.log(np.maximum(likelihood, 1e-12)).sum() + LEVEL_RIDGE / 2 * (weights**2).sum()
        return float(value), gradient

    start = np.concatenate([np.zeros(count), [-1.4], np.zeros(STEPS_OF_LEVEL - 1)])
    lows = [-np.inf if name in LOWERING else 0.0 for name in FIGURES] + [-np.inf] * STEPS_OF_LEVEL
    highs = [0.0 if name in LOWERING else np.inf for name in FIGURES] + [np.inf] * STEPS_OF_LEVEL
    bounds = optimize.Bounds(np.array(lows), np.array(highs))
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": LEVEL_STEPS}
    ).x
    weights = found[:count]
    thresholds = found[count] + np.concatenate([[0.0], np.cumsum(np.exp(found[count + 1 :]))])
    thresholds = thresholds + centre @ weights
    return Levels(weights, thresholds)


def figures_of(answer: Described, probabilities: Columns, check_figure: float) -> Columns:
    """Compute an answer's figures from the kinds of its sentences."""
    said = [dict(zip(TAGS, map(float, row), strict=True)) for row in probabilities]
    figures = describe(list(zip(said, answer.cues, strict=True)), check_figure)
    return np.array([figure.value for figure in figures.values()])


def _halves(answers: Sequence[Described]) -> list[set[str]]:
    """Part answers into two by author, or by question where there is one author."""
    by_author = {answer.case.author for answer in answers}
    keys: Mapping[str, str] = {
        answer.case.id: answer.case.author if len(by_author) > 1 else answer.case.question_id
        for answer in answers
    }
    first = set(sorted(set(keys.values()))[::2])
    half = {name for name, key in keys.items() if key in first}
    return [half, set(keys) - half]


def _softmax(sums: Columns) -> Columns:
    masses = np.exp(sums - sums.max(axis=1, keepdims=True)) if sums.size else sums
    shares: Columns = masses / masses.sum(axis=1, keepdims=True) if sums.size else sums
    return shares


def _sigmoid(values: Columns) -> Columns:
    found: Columns = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return found
