"""Sound is cleaned as it comes, and the same however it is cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from chassis.playback.cleaning import Cleaner
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples


def cleaned(samples: Samples, cuts: list[int]) -> Samples:
    cleaner = Cleaner()
    edges = [0, *sorted(cuts), samples.size]
    blocks = [cleaner.take(samples[begin:end]) for begin, end in itertools.pairwise(edges)]
    return np.concatenate([*blocks, cleaner.finish()])


def speech(duration_s: float, level: float, offset: float) -> Samples:
    generator = np.random.default_rng(3)
    return (generator.standard_normal(round(duration_s * SAMPLE_RATE_HZ)) * level + offset).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_how_the_sound_is_cut_changes_nothing(seed: int) -> None:
    samples = speech(5.3, 0.1, 0.2)
    cuts = [int(cut) for cut in np.random.default_rng(seed).integers(0, samples.size, 12)]

    assert np.array_equal(cleaned(samples, cuts), cleaned(samples, []))


def test_the_beginning_does_not_depend_on_what_comes_later() -> None:
    samples = speech(6, 0.1, 0.2)
    beginning = cleaned(samples[: 3 * SAMPLE_RATE_HZ], [])

    assert np.array_equal(cleaned(samples, [])[: beginning.size], beginning)


@pytest.mark.parametrize(("level", "offset"), [(0.1, 0.3), (0.001, 0.3), (0.001, 0.004), (0.05, -0.1)])
def test_an_offset_is_taken_off_also_from_a_quiet_sound(level: float, offset: float) -> None:
    left = cleaned(speech(5, level, offset), [])

    assert abs(float(np.mean(left[SAMPLE_RATE_HZ:]))) < 0.2 * level


def test_a_sound_without_an_offset_stays_as_it_is() -> None:
    samples = speech(5, 0.1, 0.001)

    assert np.array_equal(cleaned(samples, []), samples)


def test_what_is_no_number_is_silence_and_what_is_too_loud_is_cut() -> None:
    samples = np.zeros(SAMPLE_RATE_HZ, np.float32)
    samples[:4] = [np.nan, np.inf, -np.inf, 2.0]

    assert cleaned(samples, [])[:4].tolist() == [0.0, 0.0, 0.0, 1.0]
