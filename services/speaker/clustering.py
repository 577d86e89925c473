"""Groups the windows by voice, and says how likely a second voice is.

Pure functions of arrays. The projection's matrix is data (`lda64.npz`); its origin is in the README.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from services.speaker.embedding import Embeddings

PROJECTION_FILE = Path(__file__).with_name("lda64.npz")

CUT_SIMILARITY = 0.40
"""Average-linkage clustering stops where two groups are less alike than this."""
MERGE_SIMILARITY = 0.45
"""Groups whose centroids are more alike than this are one voice."""
MIN_VOICE_S = 1.5
"""A group with less speech is no voice of its own: single windows scatter."""

LOGIT_BIAS = 2.15
LOGIT_PER_SIMILARITY = -4.76
LOGIT_PER_DOUBLING = 0.29
"""Of the smaller side's seconds. The three were fitted on recordings of people who are in no test."""
MAX_LOGIT_S = 10.0
"""More speech than this makes a second voice no likelier."""

Vectors = NDArray[np.float64]
"""Shape (window count, dimensions), each of unit length."""
Labels = NDArray[np.intp]


@dataclass(frozen=True)
class Clustering:
    """Which windows are one voice."""

    labels: Labels
    """A voice for each window; 0 has most seconds."""
    affinities: NDArray[np.float64]
    """How well each window goes with each voice, shape (window count, voice count), rows add up to 1."""
    decision_similarity: float | None
    """Cosine of the two groups' centroids at the last merge, which decides one voice against two;
    None where nothing was left to merge."""
    decision_s: float
    """Seconds of the smaller group at that merge; 0 where there was none."""

    @property
    def voice_count(self) -> int:
        """Number of voices."""
        return int(self.affinities.shape[1])

    @property
    def second_voice_probability(self) -> float:
        """Probability that a second voice speaks; 0 where all windows fell into one group."""
        if self.decision_similarity is None:
            return 0.0
        return second_voice_probability(self.decision_similarity, self.decision_s)


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
    """Scale rows to length 1; a zero row stays zero."""
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


def cluster(vectors: Vectors, seconds: NDArray[np.float64]) -> Clustering:
    """Group windows by voice.

    Args:
        vectors: At least one unit vector.
        seconds: Speech that each window stands for.
    """
    if len(vectors) < 2:
        return Clustering(np.zeros(len(vectors), np.intp), np.ones((len(vectors), 1)), None, 0.0)
    groups = _Groups(vectors, seconds)
    groups.absorb_small()
    while groups.count > 1 and groups.nearest().similarity > MERGE_SIMILARITY:
        groups.merge_nearest()
    labels = groups.labels_by_seconds()
    # Going on to a single group tells how far this recording is from one voice.
    while groups.count > 1:
        groups.merge_nearest()
    last = groups.last_merge
    return Clustering(
        labels,
        _affinities(vectors, seconds, labels),
        None if last is None else last.similarity,
        0.0 if last is None else last.smaller_s,
    )


@dataclass(frozen=True)
class _Merge:
    """The two groups whose centroids are most alike."""

    keep: int
    drop: int
    similarity: float
    smaller_s: float


class _Groups:
    """Groups of windows while they are absorbed and merged."""

    def __init__(self, vectors: Vectors, seconds: NDArray[np.float64]) -> None:
        self._vectors = vectors
        self._seconds = seconds
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
        drop, keep = np.unravel_index(int(np.argmax(similarities)), similarities.shape)
        smaller_s = float(min(seconds[drop], seconds[keep]))
        return _Merge(int(names[keep]), int(names[drop]), float(similarities[drop, keep]), smaller_s)

    def merge_nearest(self) -> None:
        merge = self.nearest()
        self._relabel(merge.drop, merge.keep)
        self.last_merge = merge

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
