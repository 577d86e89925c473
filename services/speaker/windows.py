"""Cuts speech into the windows that are embedded. Times in seconds, half-open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.speaker.voice_activity import SpeechStretch

WINDOW_S = 1.6
"""Length that the encoder was trained on."""
MAX_STEP_S = 0.8
MIN_WINDOW_S = 0.5
"""A stretch between this and `WINDOW_S` is one window of its own length: padding it with zeros would
cost 0.04 to 0.08 of cosine."""

Windows = NDArray[np.float64]
"""Shape (window count, 2): start and end of each window, in time order."""


def windows_of(stretches: Sequence[SpeechStretch]) -> Windows:
    """Spread windows evenly over each stretch. None reaches beyond its stretch."""
    rows: list[tuple[float, float]] = []
    for stretch in stretches:
        spare_s = stretch.duration_s - WINDOW_S
        if spare_s >= 0:
            count = int(np.ceil(spare_s / MAX_STEP_S)) + 1
            starts = np.linspace(stretch.start_s, stretch.end_s - WINDOW_S, count)
            rows.extend((float(start), float(start) + WINDOW_S) for start in starts)
        elif stretch.duration_s >= MIN_WINDOW_S:
            rows.append((stretch.start_s, stretch.end_s))
    return np.array(rows, np.float64).reshape(-1, 2)


def windows_inside(windows: Windows, stretch: SpeechStretch) -> slice:
    """Return which windows lie in a stretch."""
    middles = windows.mean(axis=1)
    first, end = np.searchsorted(middles, [stretch.start_s, stretch.end_s])
    return slice(int(first), int(end))


def seconds_of(windows: Windows, stretches: Sequence[SpeechStretch]) -> NDArray[np.float64]:
    """Return the seconds of speech that each window stands for.

    The midpoints between neighbours divide a stretch, so that the seconds of its windows add up to
    its length.
    """
    seconds = np.zeros(len(windows))
    middles = windows.mean(axis=1)
    for stretch in stretches:
        inside = windows_inside(windows, stretch)
        own = middles[inside]
        if len(own):
            borders = np.concatenate([[stretch.start_s], (own[1:] + own[:-1]) / 2, [stretch.end_s]])
            seconds[inside] = np.diff(borders)
    return seconds
