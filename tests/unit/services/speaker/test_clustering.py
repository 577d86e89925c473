"""Groups of windows, and how likely a second voice is."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.speaker.clustering import (
    MERGE_SIMILARITY,
    PROJECTION_FILE,
    Projection,
    cluster,
    second_voice_probability,
    unit,
)

STEP_S = 0.8


def voices(*counts: int, similarity: float = 0.0, spread: float = 0.05, seed: int = 0) -> NDArray[np.float64]:
    """Windows of voices whose centroids have a given cosine: `counts[k]` of voice k, in turn."""
    rng = np.random.default_rng(seed)
    gram = np.full((len(counts), len(counts)), similarity) + np.eye(len(counts)) * (1 - similarity)
    axes = np.pad(np.linalg.cholesky(gram), ((0, 0), (0, 64 - len(counts))))
    rows = np.concatenate([np.repeat(axes[k : k + 1], count, 0) for k, count in enumerate(counts)])
    return unit(rows + spread * rng.standard_normal(rows.shape))


def seconds(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(len(vectors), STEP_S)


def test_one_voice_is_one_group_and_nothing_is_left_to_decide() -> None:
    vectors = voices(30)

    found = cluster(vectors, seconds(vectors))

    assert found.voice_count == 1
    assert found.decision_similarity is None
    assert found.second_voice_probability == 0.0


@pytest.mark.parametrize("counts", [(20, 5), (12, 9, 4), (30, 2)])
def test_distinct_voices_are_counted_and_ranked_by_how_long_they_speak(counts: tuple[int, ...]) -> None:
    vectors = voices(*counts)

    found = cluster(vectors, seconds(vectors))

    assert found.voice_count == len(counts)
    assert np.bincount(found.labels).tolist() == list(counts)
    assert found.second_voice_probability > 0.7
    assert found.affinities.sum(axis=1) == pytest.approx(1.0)


def test_a_single_stray_window_is_no_voice() -> None:
    vectors = voices(20, 1)

    found = cluster(vectors, seconds(vectors))

    assert found.voice_count == 1
    assert found.second_voice_probability < 0.5


def test_alike_voices_are_merged_and_the_doubt_stays_readable() -> None:
    # Scattered windows of one voice: linkage splits them, centroids are alike.
    vectors = voices(20, 20, similarity=0.6, spread=0.12)

    found = cluster(vectors, seconds(vectors))

    assert found.voice_count == 1
    if found.decision_similarity is not None:
        assert found.decision_similarity > MERGE_SIMILARITY


def test_less_alike_and_longer_makes_a_second_voice_likelier() -> None:
    assert (
        second_voice_probability(0.0, 4) > second_voice_probability(0.3, 4) > second_voice_probability(0.6, 4)
    )
    assert second_voice_probability(0.3, 8) > second_voice_probability(0.3, 2)
    assert second_voice_probability(0.3, 10) == second_voice_probability(0.3, 1000)


def test_the_probability_is_the_published_formula() -> None:
    logit = 2.15 - 4.76 * 0.25 + 0.29 * 2

    assert second_voice_probability(0.25, 4.0) == pytest.approx(1 / (1 + np.exp(-logit)))


def test_one_window_is_one_voice() -> None:
    found = cluster(voices(1), np.array([1.6]))

    assert (found.voice_count, found.labels.tolist()) == (1, [0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(3, 12), min_size=1, max_size=3), st.integers(0, 1000))
def test_the_order_of_the_windows_changes_nothing(counts: list[int], seed: int) -> None:
    vectors = voices(*sorted(counts), spread=0.08, seed=seed)
    order = np.random.default_rng(seed).permutation(len(vectors))

    found, shuffled = (cluster(part, seconds(part)) for part in (vectors, vectors[order]))

    same = found.labels[:, None] == found.labels[None]
    same_shuffled = shuffled.labels[:, None] == shuffled.labels[None]
    assert (same[order][:, order] == same_shuffled).all()
    assert shuffled.second_voice_probability == pytest.approx(found.second_voice_probability)


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 20), st.integers(0, 1000))
def test_the_same_speech_twice_adds_no_voice(count: int, seed: int) -> None:
    vectors = voices(count, count + 3, seed=seed)
    twice = np.concatenate([vectors, vectors])

    assert cluster(twice, seconds(twice)).voice_count == cluster(vectors, seconds(vectors)).voice_count


def test_an_hour_of_speech_is_clustered_in_seconds() -> None:
    vectors = voices(2400, 2100, spread=0.1)

    assert cluster(vectors, seconds(vectors)).voice_count == 2


def test_the_projection_is_the_one_whose_origin_is_written_down() -> None:
    digest = hashlib.sha256(PROJECTION_FILE.read_bytes()).hexdigest()
    readme = PROJECTION_FILE.with_name("README.md").read_text(encoding="utf-8")

    assert digest in readme


def test_the_projection_gives_unit_vectors() -> None:
    embeddings = np.abs(np.random.default_rng(0).standard_normal((5, 256))).astype(np.float32)

    projected = Projection.load().apply(embeddings)

    assert projected.shape == (5, 64)
    assert np.linalg.norm(projected, axis=1) == pytest.approx(1.0)
