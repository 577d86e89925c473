"""Stretches of time in which something holds, from flags at sample times. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_SHOWN_S = 1.0
"""Longest time that one frame stands for: after it the picture stands still or is missing."""
MAX_HOLE_S = 1.0
"""Longest time that no frame stands for within one stretch."""


class Stretch(NamedTuple):
    """A half-open span of time and the samples in it."""

    start_s: float
    end_s: float
    first: int
    """Index of the first sample."""
    last: int
    """Index of the last sample, inclusive."""

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s


def sample_ends_s(times_s: Floats, end_s: float) -> Floats:
    """Until when each sample holds: the next sample, the end, or `MAX_SHOWN_S`, whichever is first."""
    ends_s = np.append(times_s[1:], max(end_s, float(times_s[-1]))) if len(times_s) else times_s
    return np.minimum(ends_s, times_s + MAX_SHOWN_S)


def find_stretches(flags: Flags, times_s: Floats, ends_s: Floats, *, max_gap_s: float = 0.0) -> list[Stretch]:
    """Find runs of true flags in time order. Runs less than `max_gap_s` apart become one.

    A run ends where the picture stands still for longer than `MAX_HOLE_S`: what was there is not known.
    """
    joined = flags[:-1] & flags[1:] & (times_s[1:] - ends_s[:-1] <= MAX_HOLE_S)
    firsts = flags & ~np.concatenate(([False], joined))
    lasts = flags & ~np.concatenate((joined, [False]))
    runs = zip(np.flatnonzero(firsts[: len(flags)]), np.flatnonzero(lasts[: len(flags)]), strict=True)
    stretches = [
        Stretch(float(times_s[first]), float(ends_s[last]), int(first), int(last)) for first, last in runs
    ]
    return _merge(stretches, max_gap_s)


def flags_of(stretches: Sequence[Stretch], count: int) -> Flags:
    """The inverse: which of `count` samples lie in a stretch."""
    flags = np.zeros(count, dtype=np.bool_)
    for stretch in stretches:
        flags[stretch.first : stretch.last + 1] = True
    return flags


def _merge(stretches: list[Stretch], max_gap_s: float) -> list[Stretch]:
    merged: list[Stretch] = []
    for stretch in stretches:
        if merged and stretch.start_s - merged[-1].end_s < max_gap_s:
            stretch = merged.pop()._replace(end_s=stretch.end_s, last=stretch.last)  # noqa: PLW2901
        merged.append(stretch)
    return merged
