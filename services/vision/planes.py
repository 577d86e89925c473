"""Pictures as most decoders give them: a plane of brightness, then two of colour at half its size.

They are half the bytes of red, green and blue. Samples are compared by the first. One becomes red, green and
blue only where a model looks at it, by the scaler that the child process uses, and so with the same values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

Bytes = npt.NDArray[np.uint8]

FORMATS = ("yuv420p", "yuvj420p")
"""FFmpeg's names: with a brightness from 16 to 235, and from 0 to 255."""
COLOUR_SPACES = (1, 2, 5, 6)
"""ITU-T H.273's numbers: BT.709, not said, BT.601 of 625 and of 525 lines."""
COLOUR_RANGES = (0, 1, 2)
"""FFmpeg's numbers: not said, from 16 to 235, from 0 to 255."""
ROWS_OVER_HEIGHT = 1.5
"""Rows of all planes one below the other."""


class Planes(NamedTuple):
    """One picture. Width and height are even."""

    rows: Bytes
    """Shape (1.5 × height, width)."""
    pixel_format: str
    colour_space: int
    colour_range: int

    @property
    def luma(self) -> Bytes:
        """Brightness as stored, shape (height, width)."""
        return self.rows[: self.height]

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.rows.shape[0] / ROWS_OVER_HEIGHT)

    @property
    def black_white(self) -> tuple[float, float]:
        """What is stored for black and for white."""
        full = self.pixel_format == "yuvj420p" or self.colour_range == COLOUR_RANGES[-1]
        return (0.0, 255.0) if full else (16.0, 235.0)

    def rgb(self, scaler: VideoReformatter) -> Bytes:
        """Return red, green and blue, shape (height, width, 3)."""
        frame = av.VideoFrame.from_ndarray(self.rows, format=self.pixel_format)
        frame.colorspace, frame.color_range = self.colour_space, self.colour_range
        return np.asarray(scaler.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8)


def planes_of(frame: Any) -> Planes | None:
    """Return a decoded frame's planes. None where it has others, or an odd side."""
    tags = int(frame.colorspace), int(frame.color_range)
    if frame.format.name not in FORMATS or frame.width % 2 or frame.height % 2:
        return None
    if tags[0] not in COLOUR_SPACES or tags[1] not in COLOUR_RANGES:
        return None
    return Planes(frame.to_ndarray(), frame.format.name, *tags)


def told_planes(payload: bytearray, width_px: int, height_px: int, told: Any) -> Planes:
    """Return the planes that a child handed over.

    Raises:
        ValueError: It says what can't be.
    """
    pixel_format, colour_space, colour_range = told
    if pixel_format not in FORMATS or width_px % 2 or height_px % 2:
        raise ValueError("planes of an impossible kind")
    if colour_space not in COLOUR_SPACES or colour_range not in COLOUR_RANGES:
        raise ValueError("planes of an impossible colour")
    rows = np.frombuffer(payload, np.uint8).reshape(height_px * 3 // 2, width_px)
    return Planes(rows, pixel_format, colour_space, colour_range)
