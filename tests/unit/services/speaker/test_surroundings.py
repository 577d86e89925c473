"""A change of room or microphone is found in the pauses, and makes one voice no second one."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from services.speaker.audio import SAMPLE_RATE_HZ, Samples
from services.speaker.clustering import cluster, unit
from services.speaker.observations import Diarization
from services.speaker.surroundings import MAX_ALLOWANCE, Change, Surroundings
from services.speaker.voice_activity import FRAME_SAMPLES
from tests.fakes.speaker import ANNA_HZ, BEN_HZ, Score, fake_diarizer, play, write_wav

QUIET, LOUD = 0.0002, 0.002
"""Noise of two rooms, 20 dB apart."""
WINDOW_COUNT = 10
HALF = np.arange(WINDOW_COUNT) < WINDOW_COUNT // 2


def noise(seconds: float, level: float) -> Samples:
    count = round(seconds * SAMPLE_RATE_HZ)
    return np.asarray(level * np.random.default_rng(0).standard_normal(count), np.float32)


def surroundings(levels: list[float], *, pause_s: float = 0.5) -> Surroundings:
    """Windows of 1.5 s with a pause after each, every one on a noise of its own level."""
    samples = np.concatenate([noise(1.5 + pause_s, level) for level in levels])
    starts_s = np.arange(len(levels)) * (1.5 + pause_s)
    windows = np.stack([starts_s, starts_s + 1.5], axis=1)
    times_s = np.arange(len(samples) // FRAME_SAMPLES) * FRAME_SAMPLES / SAMPLE_RATE_HZ
    spoken = (times_s % (1.5 + pause_s)) < 1.5
    return Surroundings(samples, spoken.astype(np.float32), windows, np.full(len(levels), 1.5))


def test_noise_that_changes_with_the_voice_is_a_change_at_its_time() -> None:
    change = surroundings([QUIET] * 5 + [LOUD] * 5).change_between(HALF, ~HALF)

    assert change is not None
    assert change.time_s == pytest.approx(9.75, abs=0.3)
    assert change.difference_db == pytest.approx(20.0, abs=2.0)
    assert change.allowance == MAX_ALLOWANCE


def test_a_room_that_stays_is_no_change() -> None:
    assert surroundings([QUIET] * 10).change_between(HALF, ~HALF) is None


def test_voices_that_alternate_have_no_one_moment_of_change() -> None:
    answering = np.arange(WINDOW_COUNT) % 2 == 0

    assert surroundings([QUIET, LOUD] * 5).change_between(answering, ~answering) is None


def test_a_voice_in_the_middle_of_an_answer_is_not_explained_by_a_change() -> None:
    middle = (np.arange(WINDOW_COUNT) >= 4) & (np.arange(WINDOW_COUNT) < 6)

    found = surroundings([QUIET] * 4 + [LOUD] * 2 + [QUIET] * 4).change_between(middle, ~middle)

    assert found is None


def test_without_pauses_nothing_is_said() -> None:
    assert surroundings([QUIET] * 5 + [LOUD] * 5, pause_s=0.0).change_between(HALF, ~HALF) is None


def test_digital_silence_on_both_sides_is_no_change() -> None:
    assert surroundings([0.0] * 10).change_between(HALF, ~HALF) is None


def test_only_the_two_groups_own_stretch_is_listened_to() -> None:
    """A third voice before them, in yet another room, changes nothing between them."""
    first = np.arange(WINDOW_COUNT) < 2
    second = (np.arange(WINDOW_COUNT) >= 2) & (np.arange(WINDOW_COUNT) < 6)
    third = np.arange(WINDOW_COUNT) >= 6
    found = surroundings([LOUD] * 2 + [QUIET] * 8)

    assert found.change_between(second, third) is None
    assert found.change_between(first, second) is not None


def test_groups_with_a_third_one_between_them_do_not_meet() -> None:
    first, third = np.arange(WINDOW_COUNT) < 4, np.arange(WINDOW_COUNT) >= 6

    assert surroundings([QUIET] * 5 + [LOUD] * 5).change_between(first, third) is None


def test_a_small_change_counts_in_part() -> None:
    assert Change(1.0, 2.0).allowance == 0.0
    assert 0.0 < Change(1.0, 3.0).allowance < MAX_ALLOWANCE
    assert not Change(1.0, 3.0).is_plain


def two_groups(similarity: float) -> np.ndarray:
    other = np.array([similarity, np.sqrt(1 - similarity**2)])
    return unit(np.array([[1.0, 0.0]] * 5 + [other] * 5))


def test_a_change_that_meets_the_voices_lowers_the_probability_and_the_count() -> None:
    vectors, seconds = two_groups(0.35), np.full(WINDOW_COUNT, 1.6)

    alone = cluster(vectors, seconds)
    changed = cluster(vectors, seconds, lambda one, other: Change(8.0, 10.0))

    assert (alone.voice_count, changed.voice_count) == (2, 1)
    assert changed.second_voice_probability < 0.7 < alone.second_voice_probability
    assert changed.decision_similarity == pytest.approx(alone.decision_similarity)
    assert changed.decision_change == Change(8.0, 10.0)


def test_voices_that_are_plainly_different_stay_two_in_spite_of_a_change() -> None:
    found = cluster(two_groups(0.05), np.full(WINDOW_COUNT, 1.6), lambda one, other: Change(8.0, 10.0))

    assert found.voice_count == 2
    assert found.second_voice_probability > 0.7


def test_the_margin_is_the_distance_of_the_nearest_merge_from_its_threshold() -> None:
    seconds = np.full(WINDOW_COUNT, 1.6)

    assert cluster(two_groups(0.35), seconds).margin_similarity == pytest.approx(0.10, abs=0.01)
    assert cluster(two_groups(0.05), seconds).margin_similarity == pytest.approx(0.40, abs=0.01)
    assert cluster(two_groups(0.95), seconds).margin_similarity is None


def heard(path: Path, score: Score, levels: tuple[float, float]) -> Diarization:
    samples = play(score)
    half = len(samples) // 2
    floor = np.concatenate([noise(half / SAMPLE_RATE_HZ, level) for level in levels])
    *_, last = fake_diarizer().diarize(write_wav(path, samples[: len(floor)] + floor), threading.Event())
    assert isinstance(last, Diarization)
    return last


def test_a_reader_is_told_when_the_recording_itself_changed(tmp_path: Path) -> None:
    anna, ben, pause = (ANNA_HZ, 2.5), (BEN_HZ, 2.5), (None, 0.5)
    score: Score = [anna, pause, anna, pause, ben, pause, ben, pause]

    same = heard(tmp_path / "same.wav", score, (QUIET, QUIET))
    changed = heard(tmp_path / "changed.wav", score, (QUIET, LOUD))

    assert same.warnings == ()
    (warning,) = changed.warnings
    assert "At about 6 s the recording itself sounds different" in warning
    assert same.second_voice_probability is not None
    assert changed.second_voice_probability is not None
    assert changed.second_voice_probability < same.second_voice_probability
