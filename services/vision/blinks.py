"""Eye openness, blinks and lowered eyes, against each person's own open eyes. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from services.vision.landmarks import Mesh
from services.vision.stretches import Flags, Floats, Stretch, find_stretches, flags_of

# Each eye: its two corners, then three pairs of points of the upper and lower lid.
_EYES = (
    ((33, 133), (160, 158, 159), (144, 153, 145)),
    ((263, 362), (387, 385, 386), (373, 380, 374)),
)

BASELINE_HALF_WINDOW_S = 4.0
BASELINE_QUANTILE = 0.75
"""Eyes are open most of the time: the upper quartile of ± 4 s is what open means for this face now."""
CLOSES_BELOW = 0.55
OPENS_ABOVE = 0.60
"""Two heights, so that noise at one of them is not a run of blinks."""
MAX_BLINK_S = 0.8
MERGE_GAP_S = 0.25
DOWN_BELOW = 0.60
"""Openness over baseline that lowered eyes stay under."""
MIN_DOWN_S = 0.5


class Blink(NamedTuple):
    """One closing and opening of the eyes."""

    start_s: float
    end_s: float


def eye_openness(mesh: Mesh) -> float:
    """Height of the eyes over their width, mean of both: about 0.3 where open."""
    ratios = []
    for (inner, outer), upper, lower in _EYES:
        width = float(np.linalg.norm(mesh[inner, :2] - mesh[outer, :2]))
        heights = np.linalg.norm(mesh[list(upper), :2] - mesh[list(lower), :2], axis=1)
        ratios.append(float(heights.mean()) / width if width > 0 else 0.0)
    return sum(ratios) / len(ratios)


def relative_openness(openness: Floats, times_s: Floats) -> Floats:
    """Openness over its rolling baseline. NaN where there is no face."""
    relative = np.full(len(openness), np.nan)
    seen = np.flatnonzero(np.isfinite(openness))
    values, seen_s = openness[seen], times_s[seen]
    firsts = np.searchsorted(seen_s, seen_s - BASELINE_HALF_WINDOW_S, side="left")
    lasts = np.searchsorted(seen_s, seen_s + BASELINE_HALF_WINDOW_S, side="right")
    for index, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        window = np.sort(values[first:last])
        baseline = window[int(BASELINE_QUANTILE * (len(window) - 1))]
        relative[seen[index]] = values[index] / baseline if baseline > 0 else np.nan
    return relative


def find_blinks(relative: Floats, times_s: Floats) -> list[Blink]:
    """Find the blinks in relative openness. One that the face's disappearance cuts off does not count."""
    closures: list[Blink] = []
    closed_s: float | None = None
    for time_s, openness in zip(times_s.tolist(), relative.tolist(), strict=True):
        if np.isnan(openness):
            closed_s = None
        elif closed_s is None:
            closed_s = time_s if openness < CLOSES_BELOW else None
        elif openness > OPENS_ABOVE:
            closures.append(Blink(closed_s, time_s))
            closed_s = None
    return [blink for blink in _merge(closures) if blink.end_s - blink.start_s <= MAX_BLINK_S]


def eyes_down(relative: Floats, times_s: Floats, ends_s: Floats) -> Flags:
    """Samples in which the eyes are lowered or shut for longer than a blink. The two look the same."""
    with np.errstate(invalid="ignore"):
        low = relative < DOWN_BELOW
    stretches: list[Stretch] = find_stretches(low, times_s, ends_s)
    return flags_of([s for s in stretches if s.length_s > MIN_DOWN_S], len(times_s))


def _merge(closures: list[Blink]) -> list[Blink]:
    merged: list[Blink] = []
    for closure in closures:
        if merged and closure.start_s - merged[-1].end_s < MERGE_GAP_S:
            merged[-1] = Blink(merged[-1].start_s, closure.end_s)
        else:
            merged.append(closure)
    return merged
