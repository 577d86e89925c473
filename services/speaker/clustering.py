"""Groups the windows by voice, and says how likely a second voice is.

Pure functions of arrays. The projection's matrix is data (`lda64.npz`). Its origin is in the README.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from services.speaker.embedding import Embeddings
from services.speaker.surroundings import MAX_ALLOWANCE, Change, Mask

PROJECTION_FILE = Path(__file__).with_name("lda64.npz")

CUT_SIMILARITY = 0.40
"""Average-linkage clustering stops where two groups are less alike than this."""
MERGE_SIMILARITY = 0.45
"""Groups whose centroids are more alike than this are one voice."""
MIN_VOICE_S = 1.5
"""A group with less speech is not a voice of its own. Single windows scatter."""

LOGIT_BIAS = 2.15
LOGIT_PER_SIMILARITY = -4.76
LOGIT_PER_DOUBLING = 0.29
"""Of the smaller side's seconds. The three were fitted on recordings of people who are in no test."""
MAX_LOGIT_S = 10.0
"""More speech than this makes a second voice no likelier."""

Vectors = NDArray[np.float64]
"""Shape (window count, dimensions), each of unit length."""
Labels = NDArray[np.intp]

ChangeBetween = Callable[[Mask, Mask], Change | None]
"""Says whether the surroundings changed between two groups of windows."""


def unchanged(_: Mask, __: Mask) -> None:
    """Say that nothing is known of the surroundings."""


@dataclass(frozen=True)
class Clustering:
    """Which windows are one voice."""

    labels: Labels
    """A voice for each window. 0 has most seconds."""
    affinities: NDArray[np.float64]
    """How well each window goes with each voice, shape (window count, voice count), rows add up to 1."""
    decision_similarity: float | None
    """Cosine of the two groups' centroids at the last merge, which decides one voice against two.
    None where nothing was left to merge."""
    decision_s: float
    """Seconds of the smaller group at that merge. 0 where there was none."""
    decision_change: Change | None = None
    """What else changed between the two groups of that merge."""
    margin_similarity: float | None = None
    """How far the nearest merge that was made or refused is from the threshold, in cosine. 0: there might
    as well be one voice more or fewer. None where nothing was left to merge."""

    @property
    def voice_count(self) -> int:
        """Number of voices."""
        return int(self.affinities.shape[1])

    @property
    def second_voice_probability(self) -> float:
        """Probability that a second voice speaks. 0 where all windows fell into one group."""
        if self.decision_similarity is None:
            return 0.0
        allowance = self.decision_change.allowance if self.decision_change else 0.0
        return second_voice_probability(self.decision_similarity + allowance, self.decision_s)


class Projection:
    """Linear discriminant that keeps what tells voices apart and drops what tells rooms apart."""

    def __init__(self, mean: NDArray[np.float64], matrix: NDArray[np.float64]) -> None:
        self._mean = mean
        self._matrix = matrix

    @classmethod
    def load(cls, path: Path = PROJECTION_FILE) -> Projection:
        """Read the shipped matrix, 256 to 64 dimensions."""
        with np.load(path, allow_pickle=False) as data:
            return cls(data["mu"].astype(np.float64), data["W"].astype(np.float64))

    def apply(self, embeddings: Embeddings) -> Vectors:
        """Project embeddings to unit vectors."""
        return unit((embeddings - self._mean) @ self._matrix)


def unit(vectors: Vectors) -> Vectors:
    """Scale rows to length 1. A zero row stays zero."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))


def second_voice_probability(similarity: float, smaller_s: float) -> float:
    """Return the probability that two groups of windows are two voices.

    Args:
        similarity: Cosine of their centroids.
        smaller_s: Seconds of the smaller one, above 0.
    """
    doublings = math.log2(min(smaller_s, MAX_LOGIT_S))
    logit = LOGIT_BIAS + LOGIT_PER_SIMILARITY * similarity + LOGIT_PER_DOUBLING * doublings
    return 1 / (1 + math.exp(-logit))


def cluster(
    vectors: Vectors, seconds: NDArray[np.float64], change_between: ChangeBetween = unchanged
) -> Clustering:
    """Group windows by voice.

    Args:
        vectors: At least one unit vector.
        seconds: Speech that each window stands for.
        change_between: Tells what else changed between two groups. They are then taken to be more alike
            than they sound.
    """
    if len(vectors) < 2:
        return Clustering(np.zeros(len(vectors), np.intp), np.ones((len(vectors), 1)), None, 0.0)
    groups = _Groups(vectors, seconds, change_between)
    groups.absorb_small()
    while groups.count > 1 and (merge := groups.nearest()).likeness > MERGE_SIMILARITY:
        groups.merge(merge)
    labels = groups.labels_by_seconds()
    margin = groups.margin()
    # Going on to a single group tells how far this recording is from one voice.
    while groups.count > 1:
        groups.merge(groups.nearest())
    affinities, last = _affinities(vectors, seconds, labels), groups.last_merge
    if last is None:
        return Clustering(labels, affinities, None, 0.0)
    return Clustering(labels, affinities, last.similarity, last.smaller_s, last.change, margin)


@dataclass(frozen=True)
class _Merge:
    """Two groups whose centroids are alike."""

    keep: int
    drop: int
    similarity: float
    smaller_s: float
    change: Change | None

    @property
    def likeness(self) -> float:
        """Their similarity, with what a change of surroundings takes from it added."""
        return self.similarity + (self.change.allowance if self.change else 0.0)


class _Groups:
    """Groups of windows while they are absorbed and merged."""

    def __init__(self, vectors: Vectors, seconds: NDArray[np.float64], change_between: ChangeBetween) -> None:
        self._vectors = vectors
        self._seconds = seconds
        self._change_between = change_between
        tree = linkage(vectors, "average", metric="cosine")
        self._labels = fcluster(tree, 1 - CUT_SIMILARITY, "distance").astype(np.intp)
        self.last_merge: _Merge | None = None

    @property
    def count(self) -> int:
        return len(np.unique(self._labels))

    def absorb_small(self) -> None:
        """Give groups under `MIN_VOICE_S` to the nearest one, smallest first."""
        while self.count > 1:
            names, seconds, similarities = self._compare()
            smallest = int(np.argmin(seconds))
            if seconds[smallest] >= MIN_VOICE_S:
                return
            self._relabel(names[smallest], names[int(np.argmax(similarities[smallest]))])

    def nearest(self) -> _Merge:
        names, seconds, similarities = self._compare()
        pairs = sorted(zip(*np.triu_indices(len(names), 1), strict=True), key=lambda p: -similarities[p])
        best: _Merge | None = None
        for one, other in pairs:
            similarity = float(similarities[one, other])
            if best is not None and similarity + MAX_ALLOWANCE <= best.likeness:
                break
            change = self._change_between(self._labels == names[one], self._labels == names[other])
            smaller_s = float(min(seconds[one], seconds[other]))
            merge = _Merge(int(names[one]), int(names[other]), similarity, smaller_s, change)
            if best is None or merge.likeness > best.likeness:
                best = merge
        if best is None:
            raise ValueError("one group has no nearest one")
        return best

    def merge(self, merge: _Merge) -> None:
        self._relabel(merge.drop, merge.keep)
        self.last_merge = merge

    def margin(self) -> float | None:
        """Return how far the last merge, and the next one, are from the threshold."""
        made = [self.last_merge.likeness] if self.last_merge else []
        refused = [self.nearest().likeness] if self.count > 1 else []
        return min((abs(likeness - MERGE_SIMILARITY) for likeness in made + refused), default=None)

    def labels_by_seconds(self) -> Labels:
        """Return labels from 0 (most seconds) on."""
        names = np.unique(self._labels)
        totals = [-float(self._seconds[self._labels == name].sum()) for name in names]
        ranks = np.empty(len(names), np.intp)
        ranks[np.argsort(totals, kind="stable")] = np.arange(len(names))
        return np.asarray(ranks[np.searchsorted(names, self._labels)])

    def _relabel(self, name: int, to: int) -> None:
        self._labels[self._labels == name] = to

    def _compare(self) -> tuple[Labels, NDArray[np.float64], NDArray[np.float64]]:
        names = np.unique(self._labels)
        seconds = np.array([self._seconds[self._labels == name].sum() for name in names])
        centroids = _centroids(self._vectors, self._seconds, self._labels, names)
        similarities = centroids @ centroids.T
        np.fill_diagonal(similarities, -np.inf)
        return names, seconds, similarities


def _centroids(vectors: Vectors, seconds: NDArray[np.float64], labels: Labels, names: Labels) -> Vectors:
    weighted = vectors * seconds[:, None]
    return unit(np.array([weighted[labels == name].sum(axis=0) for name in names]))


def _affinities(vectors: Vectors, seconds: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    centroids = _centroids(vectors, seconds, labels, np.arange(labels.max() + 1))
    # A window that goes with no voice at all is shared evenly, hence the small addend.
    cosines = np.maximum(vectors @ centroids.T, 0.0) + 1e-6
    return np.asarray(cosines / cosines.sum(axis=1, keepdims=True))
