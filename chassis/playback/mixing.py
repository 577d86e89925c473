"""What mixing channels to one would destroy: opposite phases cancel out, and sums leave the full scale."""

from __future__ import annotations

import av
import numpy as np
from av.audio.frame import AudioFrame

CHANNELS = 2
STRIDE = 7
"""One sample in so many tells how the channels relate. A prime, so that no tone hides from it."""
LOST_RATIO = 0.1
"""Share of the power that is left after mixing, below which the channels cancel each other out. Unrelated
channels keep half."""
AUDIBLE_POWER = 1e-8
"""Mean square over full scale squared, −80 dB: below it there is nothing to lose."""


MEASURED_SAMPLES = 256


def mix_gain(layout: str) -> float:
    """Return the factor that keeps a mix of a layout's channels within full scale, at most 1.

    FFmpeg mixes floats as loud as they add up, and integers so that they fit.
    """
    channels = av.AudioLayout(layout).nb_channels
    ones = av.AudioFrame.from_ndarray(
        np.ones((1, channels * MEASURED_SAMPLES), np.float32), format="flt", layout=layout
    )
    ones.sample_rate = 1000
    (mixed,) = av.AudioResampler(format="flt", layout="mono", rate=1000).resample(ones)
    return 1.0 / max(1.0, float(mixed.to_ndarray().max()))


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
        mended.sample_rate = frame.sample_rate  # it has no time, as its place is known
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
