"""Decode a recording's picture once and hand out about ten frames a second, by the frames' own times.

A thread decodes, a bounded queue hands over, the caller infers. Nominal frame rates and header
durations decide nothing: a webm from a browser has neither.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av.error
import numpy as np
import numpy.typing as npt

from chassis.errors import InvalidInputError
from chassis.playback.opening import Recording, open_recording
from chassis.playback.picture import PictureTimes, how_shown
from chassis.playback.recording_warnings import NOTABLE_S, RecordingWarning, in_order
from chassis.playback.tracks import about_choice
from services.vision.bounded_queue import BoundedQueue, put, take
from services.vision.frame_clock import FrameClock
from services.vision.stretches import MAX_SHOWN_S

RgbImage = npt.NDArray[np.uint8]
"""uint8, shape (height, width, 3), red first."""

MAX_SIDE_PX = 1280
"""Larger pictures are scaled down: the models look at 256 px or less of a face anyway."""
QUEUE_FRAMES = 6
"""Frames between decoder and inference: 17 MB at 1280×720, enough to keep both busy."""
DECODER_THREADS = 2
"""Fixed and not the number of cores, so that the same file gives the same frames on every machine."""
MIN_SKIP_FACTOR = 2
"""Frames for each step of the grid from which on every second one can be left undecoded."""
SPARSE_GAP_FACTOR = 1.2
"""Gap between kept frames, in grid steps, from which on skipping frames would cost samples."""
PTS_TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture, upright."""

    time_s: float
    image: RgbImage
    read_ratio: float | None
    """Share of the file's bytes that were read for it. None where the container does not say."""


@dataclass(slots=True)
class PictureFacts:
    """What is known about a picture track. Complete once its last frame was handed out."""

    width_px: int = 0
    """As shown, of the first frame: upright, with square pixels."""
    height_px: int = 0
    size_changed: bool = False
    corrupt_packet_count: int = 0
    times: PictureTimes = field(default_factory=PictureTimes)
    recording_s: float = 0.0
    """Length of the recording, sound and picture together."""
    warnings: tuple[RecordingWarning, ...] = ()

    @property
    def packet_count(self) -> int:
        """Packets of the track that are shown."""
        return self.times.packet_count

    @property
    def frame_rate_hz(self) -> float | None:
        """Frames a second from the packets' own times. None for fewer than two."""
        return self.times.frame_rate_hz

    @property
    def blanks_s(self) -> list[tuple[float, float]]:
        """Where there is nothing to look at: the picture stands still, starts late, or has ended."""
        first_s, until_s = self.times.first_s or 0.0, self.times.shown_until_s
        return [
            *([(0.0, first_s)] if first_s >= NOTABLE_S else []),
            *((start_s + MAX_SHOWN_S, end_s) for start_s, end_s in self.times.stills),
            *([(until_s, self.recording_s)] if self.recording_s - until_s >= NOTABLE_S else []),
        ]

    @property
    def duration_s(self) -> float:
        """Length of the picture track, the last frame's own showing time included."""
        first_s = self.times.first_s
        return 0.0 if first_s is None else self.times.shown_until_s - first_s


class PictureTrack:
    """The picture track of one open recording. Can be gone through once."""

    def __init__(self, recording: Recording, *, size_bytes: int, grid_hz: float, max_pixels: int) -> None:
        self.facts = PictureFacts()
        self._recording = recording
        stream = self._stream = recording.tracks.picture
        self._codec = stream.codec_context
        self._size_bytes = size_bytes
        self._grid_hz = grid_hz
        self._max_pixels = max_pixels
        self._last_slot = -1
        self._last_decoded_s: float | None = None
        self._clock = FrameClock()
        # The nominal rate is a hint that only saves work: what is sampled follows the frames' own times.
        self._skipping = (stream.average_rate or 0) >= MIN_SKIP_FACTOR * grid_hz
        self._codec.thread_type = "AUTO"
        self._codec.thread_count = DECODER_THREADS
        self._codec.skip_frame = "NONREF" if self._skipping else "DEFAULT"
        self._codec.options = {"skip_loop_filter": "all"}

    @property
    def total_s(self) -> float | None:
        """Length as the header claims it. None where it claims nothing."""
        return self._recording.total_s

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Hand out one frame for each step of the grid that has one, in time order.

        Raises:
            CancelledCallError: `stop` was set. The decoder has ended when this is raised.
            InvalidInputError: A frame is larger than allowed, or nothing can be decoded.
        """
        waiting: BoundedQueue[Frame] = queue.Queue(maxsize=QUEUE_FRAMES)
        abandoned = threading.Event()
        decoder = threading.Thread(target=self._fill, args=(waiting, abandoned), name="vision-decoder")
        decoder.start()
        try:
            while (item := take(waiting, stop)) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            abandoned.set()
            decoder.join()

    def _fill(self, waiting: BoundedQueue[Frame], abandoned: threading.Event) -> None:
        try:
            for frame in self._decode():
                if not put(waiting, frame, abandoned):
                    return
            put(waiting, None, abandoned)
        except Exception as error:  # noqa: BLE001 - raised again where the frames are taken
            put(waiting, error, abandoned)

    def _decode(self) -> Iterator[Frame]:
        found = False
        for packet in self._recording.packets():
            if packet.stream is not self._stream:
                continue
            self.facts.times.read(packet)
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.facts.corrupt_packet_count += 1
                continue
            read_ratio = packet.pos / self._size_bytes if packet.pos and self._size_bytes else None
            for frame in decoded:
                found = True
                if (time_s := self._sample_time_s(frame)) is not None:
                    yield Frame(time_s, self._upright_image(frame), read_ratio)
        self._finish()
        if self.facts.packet_count and not found:
            raise InvalidInputError(
                "No frame of the picture can be decoded. Export the recording again, as mp4 (H.264) or webm.",
                reason="MEDIA_UNDECODABLE",
            )

    def _finish(self) -> None:
        facts, recording = self.facts, self._recording
        facts.corrupt_packet_count += recording.failed_read_count
        facts.recording_s = max(recording.timeline.end_s, facts.times.shown_until_s)
        facts.warnings = in_order(
            (
                *about_choice(recording.tracks),
                *recording.warnings(),
                *facts.times.warnings(facts.recording_s),
            )
        )

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

    def _upright_image(self, frame: Any) -> RgbImage:
        _check_pixels(frame.width, frame.height, self._max_pixels)
        shown = how_shown(frame, self._stream)
        self._note_size(*shown.size)
        width_px, height_px = shown.stored_size
        scale = min(1.0, MAX_SIDE_PX / max(width_px, height_px))
        width_px, height_px = max(1, round(width_px * scale)), max(1, round(height_px * scale))
        rgb = frame.reformat(width=width_px, height=height_px, format="rgb24").to_ndarray()
        return np.ascontiguousarray(shown.upright(rgb))

    def _note_size(self, width_px: int, height_px: int) -> None:
        facts = self.facts
        if not facts.width_px:
            facts.width_px, facts.height_px = width_px, height_px
        elif (width_px, height_px) != (facts.width_px, facts.height_px):
            facts.size_changed = True


@contextmanager
def open_picture(recording: Path, *, grid_hz: float, max_pixels: int) -> Iterator[PictureTrack | None]:
    """Open a recording's picture track. None where it has none (a cover image is not one).

    Raises:
        InvalidInputError: The file is not a recording that can be read, or its picture is too large.
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
            yield None
            return
        _check_pixels(stream.codec_context.width, stream.codec_context.height, max_pixels)
        size_bytes = recording.stat().st_size
        yield PictureTrack(opened, size_bytes=size_bytes, grid_hz=grid_hz, max_pixels=max_pixels)


def _check_pixels(width_px: int, height_px: int, max_pixels: int) -> None:
    if width_px * height_px > max_pixels:
        raise InvalidInputError(
            f"The picture has {width_px}×{height_px} pixels, {max_pixels} are allowed. Send it smaller.",
            reason="MEDIA_PIXELS_EXCEEDED",
        )
