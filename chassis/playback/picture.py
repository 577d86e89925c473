"""The picture that a player shows: when each frame is there, and which way up it is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chassis.playback.recording_warnings import NOTABLE_S, STANDS_S, RecordingWarning, clock_time

MAX_PIXEL_ASPECT = 4.0
"""Pixels that are said to be wider or narrower than this are a mistake of the recorder's."""
MATRIX_VALUES = 9
FIXED_POINT = 65_536.0


class PictureTimes:
    """When a picture's frames are shown, from its packets on the recording's clock."""

    def __init__(self) -> None:
        self._times_s = array("d")
        self._tick_s: float | None = None
        self.packet_count = 0
        """Packets that are shown."""
        self.end_s = 0.0
        """Where the last packet ends, by its own duration where it has one."""

    def read(self, packet: Any) -> None:
        """Take one packet of the picture track into account."""
        if not packet.size or packet.is_discard:
            return
        self.packet_count += 1
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None or packet.time_base is None:
            return
        tick_s = self._tick_s = self._tick_s or float(packet.time_base)
        time_s = max(0.0, ticks * tick_s)
        self._times_s.append(time_s)
        self.end_s = max(self.end_s, time_s + (packet.duration or 0) * tick_s)

    @property
    def first_s(self) -> float | None:
        """When the first frame is shown. None without times."""
        return min(self._times_s, default=None)

    @property
    def last_s(self) -> float | None:
        """When the last frame is shown. None without times."""
        return max(self._times_s, default=None)

    @property
    def frame_rate_hz(self) -> float | None:
        """Frames a second while the picture moves on. None for fewer than two."""
        gaps_s = np.diff(np.sort(np.frombuffer(self._times_s)))
        moving_s = gaps_s[gaps_s < STANDS_S]
        total_s = float(moving_s.sum())
        return len(moving_s) / total_s if total_s > 0 else None

    @property
    def stills(self) -> list[tuple[float, float]]:
        """Where the picture stands still for `STANDS_S` or longer."""
        times_s = np.sort(np.frombuffer(self._times_s))
        return [
            (float(times_s[index]), float(times_s[index + 1]))
            for index in np.flatnonzero(np.diff(times_s) >= STANDS_S)
        ]

    @property
    def shown_until_s(self) -> float:
        """When the last frame's own showing time ends. It lasts as long as the others mostly do."""
        gaps_s = np.diff(np.sort(np.frombuffer(self._times_s)))
        usual_s = float(np.median(gaps_s)) if len(gaps_s) else 0.0
        return max(self.end_s, (self.last_s or 0.0) + min(usual_s, STANDS_S))

    def warnings(self, recording_end_s: float) -> Iterator[RecordingWarning]:
        """Say where the picture stands still, or is missing although the recording goes on."""
        for start_s, end_s in self.stills:
            yield RecordingWarning(
                "PICTURE_STANDS",
                f"The picture stands still from {clock_time(start_s)} to {clock_time(end_s)}. "
                "Nothing was seen in that time.",
                start_s,
                end_s,
            )
        if self.first_s is not None and self.first_s >= NOTABLE_S:
            yield RecordingWarning(
                "PICTURE_STARTS_LATE",
                f"The picture starts at {clock_time(self.first_s)}. Nothing was seen before.",
                0.0,
                self.first_s,
            )
        if self.first_s is not None and recording_end_s - self.shown_until_s >= NOTABLE_S:
            yield RecordingWarning(
                "PICTURE_ENDS_EARLY",
                f"The picture ends at {clock_time(self.shown_until_s)}, and the recording goes on until "
                f"{clock_time(recording_end_s)}. Nothing was seen after.",
                self.shown_until_s,
                recording_end_s,
            )


Matrix = tuple[float, float, float, float]
"""a, b, c, d: x' = a·x + c·y, y' = b·x + d·y."""
AS_STORED: Matrix = (1.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Shown:
    """How one frame is meant to be shown: turned, mirrored, with square pixels."""

    stored_size: tuple[int, int]
    """Width and height in square pixels, before it is turned."""
    matrix: Matrix

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in square pixels, as shown."""
        width, height = self.stored_size
        return (height, width) if self._is_transposed else (width, height)

    def upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn and mirror pixels as the display matrix says, shape (height, width, channels)."""
        a, b, c, d = self.matrix
        if self._is_transposed:
            pixels, across, down = pixels.swapaxes(0, 1), c, b
        else:
            across, down = a, d
        return pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]

    @property
    def _is_transposed(self) -> bool:
        a, b, c, d = self.matrix
        return abs(b) + abs(c) > abs(a) + abs(d)


def how_shown(frame: Any, stream: Any) -> Shown:
    """Return how a decoded frame of a track is meant to be shown.

    Pixels that are not square become so as in a browser: their shorter side grows.
    """
    aspect = pixel_aspect(stream)
    if aspect >= 1.0:
        size = round(frame.width * aspect), frame.height
    else:
        size = frame.width, round(frame.height / aspect)
    return Shown(size, matrix_of(frame))


def pixel_aspect(stream: Any) -> float:
    """Return a pixel's width over its height. 1 where the track does not say, or says nonsense."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT else 1.0


def matrix_of(frame: Any) -> Matrix:
    """Return a, b, c, d of a frame's display matrix (ISO/IEC 14496-12, 8.2.2)."""
    side_data = frame.side_data.get("DISPLAYMATRIX")
    values = np.frombuffer(side_data, np.int32) if side_data is not None else ()
    if len(values) < MATRIX_VALUES:
        return AS_STORED
    a, b, c, d = (float(values[index]) / FIXED_POINT for index in (0, 1, 3, 4))
    return a, b, c, d
