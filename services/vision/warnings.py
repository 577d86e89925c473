"""What a reader should know before trusting a report: one sentence each. Pure."""

from __future__ import annotations

import numpy as np

from chassis.playback.recording_warnings import STANDS_S
from services.vision.faces import SMALL_FACE_RATIO
from services.vision.frames import PictureFacts
from services.vision.gaze import MAX_BASELINE_DEG
from services.vision.measures import FaceTime
from services.vision.stretches import MAX_SHOWN_S

DARK_RATIO = 0.15
"""Mean brightness below which a face in ordinary surroundings is hard to see, judged by eye."""
LOW_RATE_HZ = 8.0
"""Blink recall falls from 0.91 at ten samples a second to 0.84 at six."""


def warnings_about(face: FaceTime, facts: PictureFacts) -> tuple[str, ...]:
    """Name what limits this report."""
    return tuple(sentence for sentence in (*_about_picture(face, facts), *_about_face(face)) if sentence)


def _about_picture(face: FaceTime, facts: PictureFacts) -> list[str]:
    times_s = face.samples.time_s
    longest_gap_s = float(np.diff(times_s).max(initial=0.0))
    warnings = []
    if facts.corrupt_packet_count:
        warnings.append(f"Damaged parts of the picture were left out: {facts.corrupt_packet_count}.")
    if facts.size_changed:
        warnings.append("The picture changes its size.")
    if MAX_SHOWN_S < longest_gap_s < STANDS_S:  # a longer one is a warning about the recording
        warnings.append(
            f"The picture stands still for up to {longest_gap_s:.1f} s. Nothing is known of that time."
        )
    rate_hz = facts.frame_rate_hz
    if rate_hz is not None and rate_hz < LOW_RATE_HZ:
        warnings.append(
            f"The picture has {rate_hz:.1f} frames a second. Short events and blinks may be missed."
        )
    if float(face.samples.brightness_ratio.mean()) < DARK_RATIO:
        warnings.append("The picture is dark. A face may be missed.")
    return warnings


def _about_face(face: FaceTime) -> list[str]:
    measured = face.samples.measured
    if not measured.any():
        return []
    warnings = []
    if float(np.median(face.samples.face_width_ratio[measured])) < SMALL_FACE_RATIO:
        warnings.append("The face is small in the picture. Measures of eyes and mouth are coarse.")
    if abs(face.gaze.usual_gaze_deg) > MAX_BASELINE_DEG:
        warnings.append(
            f"The eyes mostly look {abs(face.gaze.usual_gaze_deg):.0f}° beside the camera. Eye contact "
            "counts what comes near it, and the camera may stand beside the screen."
        )
    return warnings
