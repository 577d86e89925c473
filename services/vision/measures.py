"""Figures over a whole recording, each with unit, coverage and outcome. Pure.

Under ten seconds of measured face there are none: `INSUFFICIENT_EVIDENCE` with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.vision.blinks import Blink
from services.vision.gaze import AWAY_GAZE_DEG, GazeTrack
from services.vision.report import Measure, Outcome
from services.vision.samples import Samples
from services.vision.stretches import Flags, Floats

MIN_FACE_S = 10.0
PITCH_AWAY_DEG = 15.0
"""Head bowed or raised by this much against the recording's median counts as looking down or up."""
MAX_BLINK_STEP_S = 0.2
"""Blinks last 0.1–0.4 s: at fewer than five samples a second most are missed (recall 0.75 at five)."""
MAD_TO_SD = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution."""
S_PER_MIN = 60.0

UNITS = {
    "face_ratio": "ratio",
    "eye_contact_ratio": "ratio",
    "looking_away_ratio": "ratio",
    "looking_down_ratio": "ratio",
    "looking_up_ratio": "ratio",
    "gaze_stability_ratio": "ratio",
    "blink_count": "count",
    "blink_rate": "per_min",
    "smile_intensity": "ratio",
    "smile_variation": "ratio",
    "brow_movement": "ratio",
    "head_movement": "deg",
    "yaw_spread": "deg",
    "pitch_spread": "deg",
    "roll_spread": "deg",
}
"""Every measure and its unit, in the order of the report."""

_BLINK_MEASURES = ("blink_count", "blink_rate")


@dataclass(frozen=True, slots=True)
class FaceTime:
    """Everything that the figures are made of."""

    samples: Samples
    seen: Flags
    ends_s: Floats
    """Until when each sample stands."""
    duration_s: float
    """Length of the recording."""
    blanks_s: tuple[tuple[float, float], ...]
    """Where there is nothing to look at: the picture stands still, starts late, or has ended."""
    gaze: GazeTrack
    relative_openness: Floats
    away: Flags
    blinks: tuple[Blink, ...]

    @property
    def shown_s(self) -> Floats:
        """How long each sample stands."""
        return self.ends_s - self.samples.time_s

    @property
    def picture_s(self) -> float:
        """Seconds of the recording with a picture that moves on."""
        return max(0.0, self.duration_s - sum(end_s - start_s for start_s, end_s in self.blanks_s))

    @property
    def face_ratio(self) -> float:
        """Share of the recording in which a face is seen."""
        shown_s = float(self.shown_s.sum())
        # A single frame may have no length: then it counts for itself.
        seen_ratio = float(self.shown_s[self.seen].sum()) / shown_s if shown_s else float(np.mean(self.seen))
        return seen_ratio * self.picture_ratio

    @property
    def picture_ratio(self) -> float:
        """Share of the recording with a picture that moves on."""
        return self.picture_s / self.duration_s if self.duration_s else 1.0

    @property
    def measured_s(self) -> float:
        """Seconds with a measured face."""
        return float(self.shown_s[self.samples.measured].sum())


def measure_all(face: FaceTime, *, min_face_s: float = MIN_FACE_S) -> tuple[Measure, ...]:
    """Make all measures of a recording, absent ones with their reason."""
    ratio = Measure("face_ratio", "ratio", Outcome.OK, face.face_ratio, coverage_ratio=face.picture_ratio)
    names = [name for name in UNITS if name != ratio.name]
    if not face.seen.any():
        return (ratio, *absent(names, Outcome.NO_FACE, "No face was found in the recording."))
    if face.measured_s < min_face_s:
        reason = f"{face.measured_s:.1f} s of a measurable face are too little. {min_face_s:g} s are needed."
        return (ratio, *absent(names, Outcome.INSUFFICIENT_EVIDENCE, reason))
    return (ratio, *_figures(face))


def absent(names: list[str], outcome: Outcome, reason: str) -> list[Measure]:
    """The named measures without values."""
    return [Measure(name, UNITS[name], outcome, reason=reason) for name in names]


def _figures(face: FaceTime) -> list[Measure]:
    values = {**_direction_figures(face), **_blink_figures(face), **_shape_figures(face)}
    coverage = min(1.0, face.measured_s / face.duration_s) if face.duration_s > 0 else None
    too_sparse = _step_s(face) > MAX_BLINK_STEP_S
    figures = []
    for name, unit in UNITS.items():
        if name in _BLINK_MEASURES and too_sparse:
            reason = (
                f"{1 / _step_s(face):.1f} pictures a second are too few to see blinks. At least 5 are needed."
            )
            figures += absent([name], Outcome.INSUFFICIENT_EVIDENCE, reason)
        elif name in values:
            figures.append(Measure(name, unit, Outcome.OK, values[name], coverage))
    return figures


def _direction_figures(face: FaceTime) -> dict[str, float]:
    pitch_off_deg = face.samples.pitch_deg - np.nanmedian(face.samples.pitch_deg)
    with np.errstate(invalid="ignore"):
        bowed, raised = pitch_off_deg > PITCH_AWAY_DEG, pitch_off_deg < -PITCH_AWAY_DEG
    return {
        "eye_contact_ratio": 1.0 - _share(face, face.away),
        "looking_away_ratio": _share(face, face.away),
        "looking_down_ratio": _share(face, bowed | face.gaze.down),
        "looking_up_ratio": _share(face, raised & ~face.gaze.down),
        "gaze_stability_ratio": _gaze_stability(face),
    }


def _gaze_stability(face: FaceTime) -> float:
    """1 − robust spread of the gaze over 10°: 1 is fixed, 0 wanders by as much as looking away."""
    gaze = face.gaze.gaze_deg[np.isfinite(face.gaze.gaze_deg)]
    if not len(gaze):
        return 0.0
    spread_deg = MAD_TO_SD * float(np.median(np.abs(gaze - np.median(gaze))))
    return float(np.clip(1.0 - spread_deg / AWAY_GAZE_DEG, 0.0, 1.0))


def _blink_figures(face: FaceTime) -> dict[str, float]:
    count = len(face.blinks)
    return {"blink_count": float(count), "blink_rate": count * S_PER_MIN / face.measured_s}


def _shape_figures(face: FaceTime) -> dict[str, float]:
    samples = face.samples
    yaw_deg, pitch_deg, roll_deg = (
        float(np.nanstd(angle)) for angle in (samples.yaw_deg, samples.pitch_deg, samples.roll_deg)
    )
    return {
        "smile_intensity": float(np.nanmean(samples.smile)),
        "smile_variation": float(np.nanstd(samples.smile)),
        "brow_movement": float(np.nanstd(samples.brow)),
        "head_movement": float(np.sqrt(yaw_deg**2 + pitch_deg**2 + roll_deg**2)),
        "yaw_spread": yaw_deg,
        "pitch_spread": pitch_deg,
        "roll_spread": roll_deg,
    }


def _share(face: FaceTime, flags: Flags) -> float:
    """Share of the measured time in which `flags` hold."""
    return float(face.shown_s[flags & face.samples.measured].sum()) / face.measured_s


def _step_s(face: FaceTime) -> float:
    return float(np.median(np.diff(face.samples.time_s)))
