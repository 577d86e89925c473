"""What the vision engine hands out: frozen results, free of gRPC and of any model.

Times are seconds from the first sample of the recording, spans half-open. A value is measured or
None with an outcome and a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chassis.model_info import ModelInfo
from chassis.playback.recording_warnings import RecordingWarning


class Outcome(StrEnum):
    """What a value is worth. The names are those of the contract's `Outcome`."""

    OK = "OK"
    INSUFFICIENT_EVIDENCE = "INSUFFICIENT_EVIDENCE"
    NO_FACE = "NO_FACE"
    NO_VIDEO = "NO_VIDEO"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the look at one recording has come."""

    done_s: float
    total_s: float | None
    """None while the length is unknown, as in a webm without a duration."""
    done_ratio: float | None
    """By time where the length is known, else by bytes read. None where neither can be told."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One physical quantity over the whole recording."""

    name: str
    unit: str
    outcome: Outcome
    value: float | None = None
    coverage_ratio: float | None = None
    """Share of the recording that the value rests on."""
    reason: str = ""
    """Why there is no value, in one sentence."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Something seen for a stretch of the recording."""

    kind: str
    start_s: float
    end_s: float
    value: float
    threshold: float
    unit: str
    reason: str
    """What was measured, and what it does not mean."""


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """How far the picture allows to trust the rest."""

    width_px: int = 0
    height_px: int = 0
    frame_rate_hz: float | None = None
    brightness_ratio: float | None = None
    face_width_ratio: float | None = None
    sharpness_score: float | None = None
    corrupt_packet_count: int = 0
    packet_count: int = 0


@dataclass(frozen=True, slots=True)
class VisionReport:
    """Everything seen in a recording."""

    outcome: Outcome
    reason: str
    duration_s: float
    """Length of the recording, sound and picture together. Shares are of it."""
    sampled_frame_count: int
    """Samples of the grid."""
    inferred_frame_count: int
    """Samples that the landmarker looked at. In the others nothing had changed that it measures."""
    face_ratio: float | None
    max_face_count: int
    measures: tuple[Measure, ...]
    observations: tuple[Observation, ...]
    quality: PictureQuality
    models: tuple[ModelInfo, ...]
    warnings: tuple[str, ...]
    picture_s: float | None = None
    """Seconds of the recording with a picture that moves on. None without frames."""
    recording_warnings: tuple[RecordingWarning, ...] = ()
