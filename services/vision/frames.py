"""A recording's picture as the engine sees it: about ten frames a second, decoded in a child process.

`services.vision.picture_decoding` is the child's side. What it says is checked here: it reads hostile files.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chassis.decoding.child_limits import ChildLimits
from chassis.decoding.decoder import ChildDecoder, Decoder, Piece
from chassis.decoding.decoder_refusals import told_right
from chassis.playback.recording_warnings import NOTABLE_S, RecordingWarning
from services.vision.stretches import MAX_SHOWN_S

RgbImage = npt.NDArray[np.uint8]
"""uint8, shape (height, width, 3), red first."""

FUNCTION = "services.vision.picture_decoding:decode"
MAX_SIDE_PX = 1280
"""The longer side of a frame is at most this. `picture_sampling` scales it."""
CHANNEL_COUNT = 3
FRAME_BYTES = MAX_SIDE_PX * MAX_SIDE_PX * CHANNEL_COUNT
LIMITS = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=3600.0)


def picture_decoder(
    limits: ChildLimits = LIMITS, *, keeps_spare: bool = False, worker_count: int = 1, growing_count: int = 1
) -> ChildDecoder:
    """Return what decodes pictures in child processes, one for each recording that is looked at."""
    return ChildDecoder(
        FUNCTION,
        FRAME_BYTES,
        limits,
        keeps_spare=keeps_spare,
        max_child_count=worker_count,
        max_growing_count=max(1, growing_count),
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture, upright."""

    time_s: float
    image: RgbImage
    read_ratio: float | None
    """Share of the file's bytes that were read for it. None where the container does not say."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known about a picture track once its last frame was handed out."""

    width_px: int = 0
    """As shown, of the first frame: upright, with square pixels."""
    height_px: int = 0
    size_changed: bool = False
    corrupt_packet_count: int = 0
    packet_count: int = 0
    """Packets of the track that are shown."""
    frame_rate_hz: float | None = None
    """Frames a second from the packets' own times. None for fewer than two."""
    first_s: float | None = None
    """When the first frame is shown. None without times."""
    shown_until_s: float = 0.0
    """When the last frame's own showing time ends."""
    stills_s: tuple[tuple[float, float], ...] = ()
    """Where the picture stands still."""
    recording_s: float = 0.0
    """Length of the recording, sound and picture together."""
    warnings: tuple[RecordingWarning, ...] = ()

    @property
    def blanks_s(self) -> list[tuple[float, float]]:
        """Where there is nothing to look at: the picture stands still, starts late, or has ended."""
        first_s, until_s = self.first_s or 0.0, self.shown_until_s
        return [
            *([(0.0, first_s)] if first_s >= NOTABLE_S else []),
            *((start_s + MAX_SHOWN_S, end_s) for start_s, end_s in self.stills_s),
            *([(until_s, self.recording_s)] if self.recording_s - until_s >= NOTABLE_S else []),
        ]

    @property
    def duration_s(self) -> float:
        """Length of the picture track, the last frame's own showing time included."""
        return 0.0 if self.first_s is None else self.shown_until_s - self.first_s


class PictureTrack:
    """The picture track of one open recording. Can be gone through once, unless it begins again."""

    def __init__(self, pieces: Iterator[Piece], first: Piece) -> None:
        self.facts = PictureFacts()
        """Complete once the last frame was handed out."""
        self.has_picture = False
        self.total_s: float | None = None
        """Length as the header claims it. None where it claims nothing."""
        self.begins_again = False
        """Whether what was handed out counts no more: the whole recording is another than what grew."""
        self._pieces = pieces
        self._begin(first)

    def frames(self) -> Iterator[Frame]:
        """Hand out one frame for each step of the grid that has one, in time order.

        It ends early where `begins_again`. Call it once more then.

        Raises:
            CancelledCallError: The caller gave up.
            InvalidInputError: A frame is larger than allowed, or nothing can be decoded.
        """
        self.begins_again = False
        for piece in self._pieces:
            with told_right():
                if "facts" in piece.values:
                    self.facts = _facts(piece.values["facts"])
                    return
                if "has_picture" in piece.values:
                    self._begin(piece)
                    self.begins_again = True
                    return
                frame = _frame(piece)
            yield frame

    def _begin(self, piece: Piece) -> None:
        self.has_picture = bool(piece.values["has_picture"])
        self.total_s = _seconds(piece.values["total_s"]) if self.has_picture else None


@contextmanager
def open_picture(
    recording: Path,
    stop: threading.Event,
    *,
    grid_hz: float,
    max_pixels: int,
    decoder: Decoder | None = None,
) -> Iterator[PictureTrack | None]:
    """Open a recording's picture track. None where it has none (a cover image is not one).

    Args:
        recording: The file.
        stop: Set when the caller gave up.
        grid_hz: Frames a second that are handed out.
        max_pixels: Largest picture, width × height.
        decoder: Decodes it. None: a child process of its own.

    Raises:
        InvalidInputError: The file is not a recording that can be read, or its picture is too large.
        CancelledCallError: `stop` was set.
    """
    options = {"grid_hz": grid_hz, "max_pixels": max_pixels}
    with (decoder or picture_decoder()).open(recording, options, stop) as pieces:
        with told_right():
            track = PictureTrack(pieces, next(pieces))
        yield track if track.has_picture else None


def _frame(piece: Piece) -> Frame:
    values = piece.values
    width_px, height_px = int(values["width_px"]), int(values["height_px"])
    if not (0 < width_px <= MAX_SIDE_PX and 0 < height_px <= MAX_SIDE_PX):
        raise ValueError("a frame of an impossible size")
    image = np.frombuffer(piece.payload, np.uint8).reshape(height_px, width_px, CHANNEL_COUNT)
    time_s = _seconds(values["time_s"])
    if time_s is None:
        raise ValueError("a frame without a time")
    return Frame(time_s, image, _number(values["read_ratio"]))


def _facts(values: Mapping[str, Any]) -> PictureFacts:
    return PictureFacts(
        width_px=int(values["width_px"]),
        height_px=int(values["height_px"]),
        size_changed=bool(values["size_changed"]),
        corrupt_packet_count=int(values["corrupt_packet_count"]),
        packet_count=int(values["packet_count"]),
        frame_rate_hz=_number(values["frame_rate_hz"]),
        first_s=_seconds(values["first_s"]),
        shown_until_s=_seconds(values["shown_until_s"]) or 0.0,
        stills_s=tuple((float(start_s), float(end_s)) for start_s, end_s in values["stills_s"]),
        recording_s=_seconds(values["recording_s"]) or 0.0,
        warnings=tuple(RecordingWarning(**one) for one in values["warnings"]),
    )


def _seconds(value: object) -> float | None:
    number = _number(value)
    if number is not None and number < 0:
        raise ValueError("a time before the beginning")
    return number


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not math.isfinite(number := float(value)):
        raise ValueError("not a finite number")
    return number
