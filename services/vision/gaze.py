"""Where the eyes look, sideways, and when that is away from the camera. Pure. Degrees.

Directions are against the recording's own middle. A glance slightly past the lens is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.vision.landmarks import Mesh
from services.vision.stretches import Flags, Floats, Stretch, find_stretches

# Corners of each eye from the viewer's left to the right, then the middle of the iris.
_EYES = ((33, 133, 468), (362, 263, 473))

YAW_SHARE = 0.20
"""Shift of the iris between the corners that a turned head alone makes, per sine of yaw."""
EYE_RADIUS = 0.40
"""Radius of the eyeball in eye widths."""
MAX_BASELINE_DEG = 6.0
"""The camera can't be further from the usual direction than this. Beyond, the person looks elsewhere."""
AWAY_GAZE_DEG = 10.0
AWAY_YAW_DEG = 30.0
MIN_AWAY_S = 0.7
MERGE_GAP_S = 0.3


@dataclass(frozen=True, slots=True)
class AwayThresholds:
    """From which deviation on somebody looks away."""

    gaze_deg: float = AWAY_GAZE_DEG
    yaw_deg: float = AWAY_YAW_DEG
    min_s: float = MIN_AWAY_S


@dataclass(frozen=True, slots=True)
class GazeTrack:
    """Deviation from the recording's usual direction, sample by sample. NaN without a face."""

    gaze_deg: Floats
    """Positive to the viewer's right."""
    gaze_off_deg: Floats
    """Eyes: absolute difference to the usual direction."""
    yaw_off_deg: Floats
    """Head: absolute difference to the usual yaw."""
    down: Flags
    usual_gaze_deg: float
    """Median, before it is clipped to ± `MAX_BASELINE_DEG`. NaN without a face."""


def iris_position(mesh: Mesh) -> float:
    """Place of the irises between the eye corners: 0 at the viewer's left, 1 right, mean of both."""
    places = []
    for left, right, iris in _EYES:
        across = mesh[right, :2] - mesh[left, :2]
        length_squared = float(across @ across)
        offset = float((mesh[iris, :2] - mesh[left, :2]) @ across)
        places.append(offset / length_squared if length_squared > 0 else 0.5)
    return sum(places) / len(places)


def gaze_deg(iris: Floats, yaw_deg: Floats) -> Floats:
    """Sideways direction of the eyes against the camera, with the head's own turn taken out."""
    yaw = np.radians(yaw_deg)
    sine = ((iris - 0.5) * np.cos(yaw) - YAW_SHARE * np.sin(yaw)) / EYE_RADIUS
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))


def track_gaze(iris: Floats, yaw_deg: Floats, down: Flags) -> GazeTrack:
    """Relate eyes and head to the recording's medians. `down`: samples with lowered eyes."""
    gaze = gaze_deg(iris, yaw_deg)
    seen = np.isfinite(gaze)
    usual_deg = float(np.median(gaze[seen])) if seen.any() else float("nan")
    usual_yaw_deg = float(np.median(yaw_deg[seen])) if seen.any() else float("nan")
    baseline_deg = float(np.clip(usual_deg, -MAX_BASELINE_DEG, MAX_BASELINE_DEG))
    return GazeTrack(
        gaze_deg=gaze,
        gaze_off_deg=np.abs(gaze - baseline_deg),
        yaw_off_deg=np.abs(yaw_deg - usual_yaw_deg),
        down=down,
        usual_gaze_deg=usual_deg,
    )


def find_away(track: GazeTrack, times_s: Floats, ends_s: Floats, thresholds: AwayThresholds) -> list[Stretch]:
    """Find the stretches of looking away: eyes aside, head turned, or eyes lowered."""
    with np.errstate(invalid="ignore"):
        aside = (track.gaze_off_deg > thresholds.gaze_deg) | (track.yaw_off_deg > thresholds.yaw_deg)
    stretches = find_stretches(aside | track.down, times_s, ends_s, max_gap_s=MERGE_GAP_S)
    return [stretch for stretch in stretches if stretch.length_s >= thresholds.min_s]
