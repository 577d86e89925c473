"""Decodes a recording's picture once and picks about ten frames a second, by the frames' own times.

It runs in a child process (`chassis/decoding/`), because pictures are hostile input. Nominal frame rates and
header durations decide nothing: a webm from a browser has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av.error
from av.video.reformatter import VideoReformatter

from chassis.errors import InvalidInputError
from chassis.playback.opening import Recording, open_recording
from chassis.playback.picture import PictureTimes, how_shown
from chassis.playback.recording_warnings import in_order
from chassis.playback.tracks import about_choice
from services.vision.frame_clock import FrameClock

MAX_SIDE_PX = 1280
"""Larger pictures are scaled down: the models look at 256 px or less of a face anyway."""
DECODER_THREADS = 2
"""Fixed and not the number of cores, so that the same file gives the same frames on every machine."""
SCALER_THREADS = 1
MIN_SKIP_FACTOR = 2
"""Frames for each step of the grid from which on every second one can be left undecoded."""
SPARSE_GAP_FACTOR = 1.2
"""Gap between kept frames, in grid steps, from which on skipping frames would cost samples."""
PTS_TOLERANCE_S = 1e-6
MAX_STILL_COUNT = 10_000
"""More places in which the picture stands still are not listed."""

Message = tuple[dict[str, Any], Any]


def decode(recording: Path, options: dict[str, Any], beat: Callable[[], None]) -> Iterator[Message]:
    """Yield whether there is a picture, its frames, and last what is known about it.

    Args:
        recording: The file.
        options: `grid_hz`, `max_pixels`.
        beat: Called while there is nothing to say.

    Raises:
        InvalidInputError: The file is not a recording that can be read (`MEDIA_UNDECODABLE`), or its picture
            is too large (`MEDIA_PIXELS_EXCEEDED`).
    """
    with open_recording(recording) as opened:
        stream = opened.tracks.picture
        if stream is None:
            if opened.tracks.count("video"):
                raise InvalidInputError(
                    f"The picture is in a format that is not known here ({opened.tracks.codec('video')}). "
                    "Export the recording as MP4 (H.264).",
                    reason="MEDIA_UNDECODABLE",
                )
            yield {"has_picture": False}, None
            return
        check_pixels(stream.codec_context.width, stream.codec_context.height, options["max_pixels"])
        yield {"has_picture": True, "total_s": opened.total_s}, None
        size_bytes = recording.stat().st_size
        yield from PictureDecoding(
            opened, size_bytes=size_bytes, grid_hz=options["grid_hz"], max_pixels=options["max_pixels"]
        ).messages(beat)


class PictureDecoding:
    """The picture track of one open recording. Can be gone through once."""

    def __init__(self, recording: Recording, *, size_bytes: int, grid_hz: float, max_pixels: int) -> None:
        self._recording = recording
        stream = self._stream = recording.tracks.picture
        self._codec = stream.codec_context
        self._size_bytes = size_bytes
        self._grid_hz = grid_hz
        self._max_pixels = max_pixels
        self._last_slot = -1
        self._last_decoded_s: float | None = None
        self._clock = FrameClock()
        self._scaler = VideoReformatter()  # a frame's own would start threads for each frame
        self._times = PictureTimes()
        self._size_px: tuple[int, int] | None = None
        self._size_changed = False
        self._corrupt_packet_count = 0
        # The nominal rate is a hint that only saves work: what is sampled follows the frames' own times.
        self._skipping = (stream.average_rate or 0) >= MIN_SKIP_FACTOR * grid_hz
        self._codec.thread_type = "AUTO"
        self._codec.thread_count = DECODER_THREADS
        self._codec.skip_frame = "NONREF" if self._skipping else "DEFAULT"
        # `max_pixels`: the codec itself refuses a picture that grows in mid-file, before it takes memory.
        self._codec.options = {"skip_loop_filter": "all", "max_pixels": str(max_pixels)}

    def messages(self, beat: Callable[[], None]) -> Iterator[Message]:
        """Yield one frame for each step of the grid that has one, in time order, and the facts last.

        Raises:
            InvalidInputError: A frame is larger than allowed, or nothing can be decoded.
        """
        found = False
        for packet in self._recording.packets():
            beat()
            if packet.stream is not self._stream:
                continue
            self._times.read(packet)
            read_ratio = packet.pos / self._size_bytes if packet.pos and self._size_bytes else None
            for frame in self._decoded(packet):
                found = True
                if (time_s := self._sample_time_s(frame)) is not None:
                    image = self._upright_image(frame)
                    height_px, width_px, _ = image.shape
                    size = {"width_px": width_px, "height_px": height_px}
                    yield {"time_s": time_s, "read_ratio": read_ratio} | size, image
        if self._times.packet_count and not found:
            raise InvalidInputError(
                "No frame of the picture can be decoded. Export the recording again, as mp4 (H.264) or webm.",
                reason="MEDIA_UNDECODABLE",
            )
        yield {"facts": self._facts()}, None

    def _decoded(self, packet: Any) -> Any:
        try:
            return packet.decode()
        except MemoryError:
            raise
        except av.error.FFmpegError:
            self._corrupt_packet_count += 1
            return ()

    def _facts(self) -> dict[str, Any]:
        recording, times = self._recording, self._times
        recording_s = max(recording.timeline.end_s, times.shown_until_s)
        warnings = in_order(
            (*about_choice(recording.tracks), *recording.warnings(), *times.warnings(recording_s))
        )
        width_px, height_px = self._size_px or (0, 0)
        return {
            "width_px": width_px,
            "height_px": height_px,
            "size_changed": self._size_changed,
            "corrupt_packet_count": self._corrupt_packet_count + recording.failed_read_count,
            "packet_count": times.packet_count,
            "frame_rate_hz": times.frame_rate_hz,
            "first_s": times.first_s,
            "shown_until_s": times.shown_until_s,
            "stills_s": times.stills[:MAX_STILL_COUNT],
            "recording_s": recording_s,
            "warnings": [asdict(one) for one in warnings],
        }

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

    def _upright_image(self, frame: Any) -> Any:
        check_pixels(frame.width, frame.height, self._max_pixels)
        shown = how_shown(frame, self._stream)
        self._note_size(*shown.size)
        width_px, height_px = shown.stored_size
        scale = min(1.0, MAX_SIDE_PX / max(width_px, height_px))
        width_px, height_px = max(1, round(width_px * scale)), max(1, round(height_px * scale))
        rgb = self._scaler.reformat(
            frame, width=width_px, height=height_px, format="rgb24", threads=SCALER_THREADS
        ).to_ndarray()
        return shown.upright(rgb)  # type: ignore[arg-type]  # rgb24 has bytes

    def _note_size(self, width_px: int, height_px: int) -> None:
        if self._size_px is None:
            self._size_px = width_px, height_px
        elif (width_px, height_px) != self._size_px:
            self._size_changed = True


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
