"""Turns from votes of windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from services.speaker.clustering import Clustering
from services.speaker.turns import Turn, other_voice_stretches, turns_of, voices_of
from services.speaker.voice_activity import SpeechStretch
from services.speaker.windows import windows_of


def clustering(labels: list[int], affinity: float = 0.9) -> Clustering:
    count = max(labels) + 1
    affinities = np.full((len(labels), count), (1 - affinity) / max(1, count - 1))
    affinities[np.arange(len(labels)), labels] = affinity if count > 1 else 1.0
    return Clustering(np.array(labels), affinities, 0.0, 2.0)


def turn(start_s: float, end_s: float, voice: int) -> Turn:
    return Turn(start_s, end_s, voice, 1.0)


def test_one_voice_has_one_turn_a_stretch_and_full_confidence() -> None:
    stretches = [SpeechStretch(0.5, 4.0), SpeechStretch(5.0, 7.0)]
    windows = windows_of(stretches)

    turns = turns_of(stretches, windows, clustering([0] * len(windows)))

    assert turns == (turn(0.5, 4.0, 0), turn(5.0, 7.0, 0))


def test_a_change_of_voice_falls_between_the_middles_of_two_windows() -> None:
    stretches = [SpeechStretch(0.0, 8.0)]
    windows = windows_of(stretches)  # starts 0, 0.8, ... 6.4

    first, second = turns_of(stretches, windows, clustering([0, 0, 0, 0, 0, 0, 1, 1, 1]))

    assert (first.voice, second.voice) == (0, 1)
    assert first.end_s == second.start_s == pytest.approx(5.2, abs=0.03)
    assert 0.5 < second.confidence <= 0.9


def test_a_stretch_without_a_window_goes_with_its_neighbour() -> None:
    stretches = [SpeechStretch(0.0, 1.6), SpeechStretch(2.0, 2.3), SpeechStretch(9.0, 10.6)]
    windows = windows_of(stretches)

    turns = turns_of(stretches, windows, clustering([0, 1]))

    assert [t.voice for t in turns] == [0, 0, 1]


def test_voice_0_is_the_one_whose_turns_are_longest() -> None:
    stretches = [SpeechStretch(0.0, 2.0), SpeechStretch(3.0, 9.0)]
    windows = windows_of(stretches)
    labels = [0 if start < 2 else 1 for start, _ in windows]

    turns = turns_of(stretches, windows, clustering(labels))

    assert [t.voice for t in turns] == [1, 0]
    assert [voice.speech_s for voice in voices_of(turns, 2)] == [6.0, 2.0]


def test_turns_cover_the_speech_without_overlap() -> None:
    stretches = [SpeechStretch(0.31, 7.77), SpeechStretch(8.2, 21.913)]
    windows = windows_of(stretches)
    labels = np.random.default_rng(0).integers(0, 3, len(windows)).tolist()

    turns = turns_of(stretches, windows, clustering(labels))

    assert all(a.end_s <= b.start_s for a, b in pairwise(turns))
    assert sum(t.duration_s for t in turns) == pytest.approx(sum(s.duration_s for s in stretches), abs=0.01)


def test_short_gaps_join_stretches_of_the_same_other_voice() -> None:
    turns = [
        turn(0, 5, 0),
        turn(5.2, 6, 1),
        turn(6.8, 8, 1),
        turn(9.5, 11, 1),
        turn(12, 14, 2),
        turn(14.2, 16, 1),
    ]

    stretches = other_voice_stretches(turns)

    assert [(s.start_s, s.end_s) for s in stretches] == [(5.2, 8), (9.5, 11), (12, 14), (14.2, 16)]


def test_the_edge_of_a_window_is_no_stretch() -> None:
    assert other_voice_stretches([turn(0, 5, 0), turn(5, 5.3, 1), turn(5.3, 9, 0)]) == ()
