"""Picks about ten frames a second of a picture track, by their own times, upright as a player shows them.

It runs in a child process (`chassis/decoding/`), because pictures are hostile input.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av.error
from av.video.reformatter import VideoReformatter

from chassis.errors import InvalidInputError
from chassis.playback.picture import AS_STORED, how_shown, pixel_aspect
from services.vision.frame_clock import FrameClock
from services.vision.planes import planes_of

MAX_SIDE_PX = 1280
"""Larger pictures are scaled down: the models look at 256 px or less of a face anyway."""
DECODER_THREADS, LARGE_DECODER_THREADS = 1, 2
"""Fixed and not the number of cores, so that the same file gives the same frames on every machine. A second
thread takes a tenth more CPU time. Inference is the slower half anyway, but beside large pictures."""
LARGE_PIXELS = 1920 * 1088
"""Larger pictures are large: full HD is not."""
SCALER_THREADS = 1
MIN_SKIP_FACTOR = 2
"""Frames for each step of the grid from which on every second one can be left undecoded."""
SPARSE_GAP_FACTOR = 1.2
"""Gap between kept frames, in grid steps, from which on skipping frames would cost samples."""
PTS_TOLERANCE_S = 1e-6

Message = tuple[dict[str, Any], Any]


class PictureSampler:
    """Turns the packets of one picture track into frames, one for each step of a grid that has one.

    Args:
        stream: The track, before its packets are decoded.
        grid_hz: Frames a second that are picked.
        max_pixels: Largest picture, width × height.

    Raises:
        InvalidInputError: The picture is too large (`MEDIA_PIXELS_EXCEEDED`).
    """

    def __init__(self, stream: Any, *, grid_hz: float, max_pixels: int) -> None:
        self._stream = stream
        self._codec = stream.codec_context
        check_pixels(self._codec.width, self._codec.height, max_pixels)
        self._grid_hz = grid_hz
        self._max_pixels = max_pixels
        self._last_slot = -1
        self._last_decoded_s: float | None = None
        self._clock = FrameClock()
        self._scaler = VideoReformatter()  # a frame's own would start threads for each frame
        self.found = False
        """Whether any frame could be decoded."""
        self.size_px: tuple[int, int] | None = None
        """Width and height of the first frame, as shown."""
        self.size_changed = False
        self.corrupt_packet_count = 0
        # The nominal rate is a hint that only saves work: what is sampled follows the frames' own times.
        self._skipping = (stream.average_rate or 0) >= MIN_SKIP_FACTOR * grid_hz
        self._codec.thread_type = "AUTO"
        large = self._codec.width * self._codec.height > LARGE_PIXELS
        self._codec.thread_count = LARGE_DECODER_THREADS if large else DECODER_THREADS
        self._codec.skip_frame = "NONREF" if self._skipping else "DEFAULT"
        # `max_pixels`: the codec itself refuses a picture that grows in mid-file, before it takes memory.
        self._codec.options = {"skip_loop_filter": "all", "max_pixels": str(max_pixels)}

    def read(self, packet: Any, read_ratio: float | None) -> Iterator[Message]:
        """Yield the frames that a packet of the track completes.

        Raises:
            InvalidInputError: A frame is larger than allowed (`MEDIA_PIXELS_EXCEEDED`) or has no time
                (`MEDIA_UNDECODABLE`).
        """
        for frame in self._decoded(packet):
            self.found = True
            if (time_s := self._sample_time_s(frame)) is not None:
                shown, pixels = self._picture(frame)
                yield {"time_s": time_s, "read_ratio": read_ratio} | shown, pixels

    def _decoded(self, packet: Any) -> Any:
        try:
            return packet.decode()
        except MemoryError:
            raise
        except av.error.FFmpegError:
            self.corrupt_packet_count += 1
            return ()

    def _sample_time_s(self, frame: Any) -> float | None:
        """The frame's time where it is the first one of its step of the grid, else None."""
        ticks = self._clock.ticks(frame)
        if ticks is None or frame.time_base is None:
            raise InvalidInputError(
                "The picture has no times. Send the recording in a container that has them, as mp4 or webm.",
                reason="MEDIA_UNDECODABLE",
            )
        time_s = max(0.0, float(ticks * frame.time_base))
        self._keep_dense_enough(time_s)
        slot = int((time_s + PTS_TOLERANCE_S) * self._grid_hz)
        if slot <= self._last_slot:
            return None
        self._last_slot = slot
        return time_s

    def _keep_dense_enough(self, time_s: float) -> None:
        # Frames that nothing refers to are skipped unread, which halves the cost at 30 a second. Where
        # that leaves holes in the grid (12 a second, or long runs of such frames), all are decoded.
        last_s, self._last_decoded_s = self._last_decoded_s, time_s
        if self._skipping and last_s is not None and time_s - last_s > SPARSE_GAP_FACTOR / self._grid_hz:
            self._codec.skip_frame = "DEFAULT"
            self._skipping = False

    def _picture(self, frame: Any) -> Message:
        """Return what a picture is, and its pixels: as they are stored if that is how they are shown."""
        check_pixels(frame.width, frame.height, self._max_pixels)
        shown = how_shown(frame, self._stream)
        self._note_size(*shown.size)
        width_px, height_px = shown.stored_size
        scale = min(1.0, MAX_SIDE_PX / max(width_px, height_px))
        size_px = max(1, round(width_px * scale)), max(1, round(height_px * scale))
        as_stored = shown.matrix == AS_STORED and size_px == (frame.width, frame.height)
        if as_stored and (planes := planes_of(frame)) is not None:
            rows, *kind = planes
            return {"width_px": size_px[0], "height_px": size_px[1], "planes": kind}, rows
        rgb = self._scaler.reformat(
            frame, width=size_px[0], height=size_px[1], format="rgb24", threads=SCALER_THREADS
        ).to_ndarray()
        image = shown.upright(rgb)  # type: ignore[arg-type]  # rgb24 has bytes
        return {"width_px": image.shape[1], "height_px": image.shape[0]}, image

    def _note_size(self, width_px: int, height_px: int) -> None:
        if self.size_px is None:
            self.size_px = width_px, height_px
        elif (width_px, height_px) != self.size_px:
            self.size_changed = True


def hints_of(stream: Any) -> tuple[object, ...]:
    """Return what a sampler takes from a track's head, and not from its packets."""
    codec = stream.codec_context
    return codec.width, codec.height, stream.average_rate, pixel_aspect(stream)


def check_pixels(width_px: int, height_px: int, max_pixels: int) -> None:
    """Refuse a picture that is too large.

    Raises:
        InvalidInputError: It is (`MEDIA_PIXELS_EXCEEDED`).
    """
    if width_px * height_px > max_pixels:
        raise InvalidInputError(
            f"The picture has {width_px}×{height_px} pixels, {max_pixels} are allowed. Send it smaller.",
            reason="MEDIA_PIXELS_EXCEEDED",
        )
