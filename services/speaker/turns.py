"""Turns of the voices from the windows' labels, by votes over short frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.speaker.clustering import Clustering
from services.speaker.voice_activity import SpeechStretch
from services.speaker.windows import MIN_WINDOW_S, Windows, windows_inside

VOTE_FRAME_S = 0.02
MAX_STRETCH_GAP_S = 1.0
"""Turns of one voice that are nearer than this are one stretch: a breath, a word in between."""
MIN_STRETCH_S = MIN_WINDOW_S
"""A shorter stretch was never measured by itself. It comes from the edge of a window."""
TIME_DIGITS = 3
"""Times are given to the millisecond. Votes are 20 ms apart."""


@dataclass(frozen=True)
class Turn:
    """A stretch in which one voice holds the floor."""

    start_s: float
    end_s: float
    voice: int
    confidence: float
    """How clearly the voice is the nearest one, 0 to 1. 1 where there is only one voice."""

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Voice:
    """One voice and how long it speaks."""

    voice: int
    speech_s: float


def turns_of(
    stretches: Sequence[SpeechStretch], windows: Windows, clustering: Clustering
) -> tuple[Turn, ...]:
    """Return the turns in time order. Voice 0 speaks most."""
    turns = [turn for stretch in stretches for turn in _stretch_turns(stretch, windows, clustering)]
    totals = [
        -sum(turn.duration_s for turn in turns if turn.voice == voice)
        for voice in range(clustering.voice_count)
    ]
    ranks = {int(voice): rank for rank, voice in enumerate(np.argsort(totals, kind="stable"))}
    return tuple(replace(turn, voice=ranks[turn.voice]) for turn in turns)


def voices_of(turns: Sequence[Turn], voice_count: int) -> tuple[Voice, ...]:
    """Return the voices, the one that speaks most first."""
    return tuple(
        Voice(voice, round(sum(turn.duration_s for turn in turns if turn.voice == voice), TIME_DIGITS))
        for voice in range(voice_count)
    )


def other_voice_stretches(turns: Sequence[Turn]) -> tuple[SpeechStretch, ...]:
    """Return where voices other than voice 0 speak, in time order, short gaps closed."""
    found: list[SpeechStretch] = []
    for voice in sorted({turn.voice for turn in turns if turn.voice > 0}):
        own: list[SpeechStretch] = []
        for turn in turns:
            if turn.voice != voice:
                continue
            if own and turn.start_s - own[-1].end_s < MAX_STRETCH_GAP_S:
                own[-1] = SpeechStretch(own[-1].start_s, turn.end_s)
            else:
                own.append(SpeechStretch(turn.start_s, turn.end_s))
        found += own
    return tuple(
        sorted((s for s in found if s.duration_s >= MIN_STRETCH_S), key=lambda s: (s.start_s, s.end_s))
    )


def _stretch_turns(stretch: SpeechStretch, windows: Windows, clustering: Clustering) -> Iterator[Turn]:
    frame_count = max(1, round(stretch.duration_s / VOTE_FRAME_S))
    votes, affinities = _votes(stretch, frame_count, windows, clustering)
    voices = votes.argmax(axis=1)
    borders = [0, *(np.flatnonzero(np.diff(voices)) + 1).tolist(), frame_count]
    for first, end in pairwise(borders):
        voice = int(voices[first])
        yield Turn(
            round(stretch.start_s + first * VOTE_FRAME_S, TIME_DIGITS),
            round(stretch.end_s if end == frame_count else stretch.start_s + end * VOTE_FRAME_S, TIME_DIGITS),
            voice,
            round(float(np.clip(affinities[first:end, voice].mean(), 0.0, 1.0)), TIME_DIGITS),
        )


def _votes(
    stretch: SpeechStretch, frame_count: int, windows: Windows, clustering: Clustering
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each frame's votes and mean affinities, both of shape (frame count, voice count)."""
    own = windows_inside(windows, stretch)
    if own.start == own.stop:  # too short for a window of its own: it goes with the nearest one
        middle_s = (stretch.start_s + stretch.end_s) / 2
        nearest = int(np.argmin(np.abs(windows.mean(axis=1) - middle_s)))
        voices = np.eye(clustering.voice_count)[[clustering.labels[nearest]] * frame_count]
        return voices, np.repeat(clustering.affinities[nearest : nearest + 1], frame_count, axis=0)
    times_s = stretch.start_s + (np.arange(frame_count) + 0.5) * VOTE_FRAME_S
    votes = np.zeros((frame_count, clustering.voice_count))
    affinities = np.zeros_like(votes)
    for window in range(own.start, own.stop):
        start_s, end_s = windows[window]
        middle_s, half_s = (start_s + end_s) / 2, (end_s - start_s) / 2
        first, end = np.searchsorted(times_s, [start_s - VOTE_FRAME_S, end_s + VOTE_FRAME_S])
        # Weight 1 in the window's middle, 0 at its ends; a trace there, so that every frame has a vote.
        weights = np.maximum(1e-9, 1 - np.abs(times_s[first:end] - middle_s) / half_s)
        votes[first:end, clustering.labels[window]] += weights
        affinities[first:end] += weights[:, None] * clustering.affinities[window]
    return votes, affinities / affinities.sum(axis=1, keepdims=True)
