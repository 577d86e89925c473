"""Settings of the vision stage: `VISION_…` in the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class VisionSettings(ServiceSettings):
    """What the vision stage can be told."""

    model_config = SettingsConfigDict(env_prefix="VISION_", frozen=True, extra="ignore")

    port: int = Field(50054, ge=0, le=65535)
    growing_count: int = Field(1, ge=0, le=256)
    """Recordings that are worked on while they arrive, beside `worker_count` others. One more is received
    first."""
    decoder_max_memory_bytes: int = Field(768 << 20, ge=256 << 20)
    """Address space of a process that decodes pictures. With 512 MiB, 8K H.264 loses pictures."""
    landmarker_model: str = "face-landmarker-full-range"
    """The landmark bundle: a name of the catalogue, or a path to a `face_landmarker.task`."""
    detector_model: str = "face-detector-full-range"
    """The face detector: a name of the catalogue, or a path to its `.tflite`."""
    sample_rate_hz: float = Field(10.0, ge=1, le=60)
    """Pictures a second that are looked at. Fewer cost blinks: recall 0.84 at 6, 0.75 at 5."""
    max_unseen_change: float = Field(0.45, ge=0)
    """How much the eyes may change, in standard deviations of their picture, before a sample is looked at."""
    max_face_interval_s: float = Field(0.2, gt=0, le=2)
    """Longest time between two looks at a face that does not change."""
    max_nobody_interval_s: float = Field(0.5, gt=0, le=2)
    """Longest time between two looks at a picture without a face that does not change."""
    look_interval_s: float = Field(1.0, gt=0, le=10)
    """Time between two counts of faces."""
    min_face_confidence: float = Field(0.6, ge=0.35, le=1)
    """Score from which on the detector's box is a face. At 0.5 drawings are."""
    min_no_face_s: float = Field(1.0, ge=0)
    """Shortest stretch without a face that is reported."""
    min_face_s: float = Field(10.0, gt=0)
    """Measured face that figures need. Below they are absent."""
    away_gaze_deg: float = Field(10.0, gt=0, le=90)
    """Eyes this far off the usual direction look away."""
    away_yaw_deg: float = Field(30.0, gt=0, le=90)
    """A head turned this far off the usual direction looks away."""
    min_away_s: float = Field(0.7, ge=0)
    """Shortest stretch of looking away that is reported."""
    max_pixels: int = Field(7680 * 4320, ge=1)
    """Largest picture, width × height."""
