"""Stereo whose channels are in opposite phase: loud in every player, silent once it is mixed."""

from __future__ import annotations

import av
import numpy as np
from av.audio.frame import AudioFrame

CHANNELS = 2
STRIDE = 7
"""One sample in so many tells how the channels relate; a prime, so that no tone hides from it."""
LOST_RATIO = 0.1
"""Share of the power that is left after mixing, below which the channels cancel each other out. Unrelated
channels keep half."""
AUDIBLE_POWER = 1e-8
"""Mean square over full scale squared, −80 dB: below it there is nothing to lose."""


class PhaseMender:
    """Turns one channel round where the two cancel each other out."""

    def __init__(self) -> None:
        self.opposite_s = 0.0
        """Seconds that were put right."""

    def mend(self, frame: AudioFrame) -> AudioFrame:
        """Return the frame, or one in which both channels are in phase."""
        if frame.layout.nb_channels != CHANNELS:
            return frame
        values = frame.to_ndarray()
        left, right = values if frame.format.is_planar else (values[0, 0::2], values[0, 1::2])
        if not _cancel(_centred(left[::STRIDE]), _centred(right[::STRIDE])):
            return frame
        right[:] = _turned(right)
        mended = av.AudioFrame.from_ndarray(values, format=frame.format.name, layout=frame.layout.name)
        mended.sample_rate, mended.pts, mended.time_base = frame.sample_rate, frame.pts, frame.time_base
        self.opposite_s += frame.samples / frame.sample_rate
        return mended


def _centred(values: np.ndarray) -> np.ndarray:
    """Turn samples of any format into floats in [-1, 1]."""
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    info = np.iinfo(values.dtype)
    middle = 0.0 if values.dtype.kind == "i" else (info.max + 1) / 2
    return (values.astype(np.float64) - middle) / (float(info.max) - middle)


def _turned(values: np.ndarray) -> np.ndarray:
    # The complement of an integer is its negative to within one step, and can't overflow.
    return -values if values.dtype.kind == "f" else ~values


def _cancel(left: np.ndarray, right: np.ndarray) -> bool:
    power = float(left @ left + right @ right) / 2
    if not np.isfinite(power) or power < AUDIBLE_POWER * max(1, left.size):
        return False
    mixed = (left + right) / 2
    return float(mixed @ mixed) < LOST_RATIO * power
