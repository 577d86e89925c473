"""Decode a recording's picture once and hand out about ten frames a second, by the frames' own times.

A thread decodes, a bounded queue hands over, the caller infers. Nominal frame rates and header
durations decide nothing: a webm from a browser has neither.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

from chassis.errors import InvalidInputError
from services.vision.frame_clock import FrameClock
from services.vision.handover import Handover, put, take

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
MAX_READ_FAILURES = 16
"""Read errors in a row after which the rest of a file is given up."""
PTS_TOLERANCE_S = 1e-6
CONTAINER_TICKS_PER_S = 1_000_000
QUARTER_TURN_DEG = 90

# Local files of ordinary containers only: a playlist could name other files or hosts.
_OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf,wav,mp3,flac,aac",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture, upright."""

    time_s: float
    image: RgbImage
    read_ratio: float | None
    """Share of the file's bytes that were read for it; None where the container does not say."""


@dataclass(slots=True)
class PictureFacts:
    """What is known about a picture track; complete once its last frame was handed out."""

    width_px: int = 0
    """As shown, after rotation, of the first frame."""
    height_px: int = 0
    size_changed: bool = False
    packet_count: int = 0
    corrupt_packet_count: int = 0
    first_time_s: float | None = None
    last_time_s: float | None = None
    end_s: float = 0.0
    """Where the last packet ends, by its own duration where it has one."""

    @property
    def frame_rate_hz(self) -> float | None:
        """Frames a second from the packets' own times; None for fewer than two."""
        if self.first_time_s is None or self.last_time_s is None or self.last_time_s <= self.first_time_s:
            return None
        return (self.packet_count - 1) / (self.last_time_s - self.first_time_s)

    @property
    def duration_s(self) -> float:
        """Length of the picture track, the last frame's own showing time included."""
        if self.first_time_s is None or self.last_time_s is None:
            return 0.0
        rate_hz = self.frame_rate_hz
        last_frame_ends_s = self.last_time_s + (1.0 / rate_hz if rate_hz else 0.0)
        return max(self.end_s, last_frame_ends_s) - self.first_time_s


class PictureTrack:
    """The picture track of one open recording. Can be gone through once."""

    def __init__(
        self, container: Any, stream: Any, *, size_bytes: int, grid_hz: float, max_pixels: int
    ) -> None:
        self.facts = PictureFacts()
        self._container = container
        self._stream = stream
        self._codec = stream.codec_context
        self._size_bytes = size_bytes
        self._grid_hz = grid_hz
        self._max_pixels = max_pixels
        self._origin_s = (container.start_time or 0) / CONTAINER_TICKS_PER_S
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
        """Length as the header claims it; None where it claims nothing."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration is not None:
            return float(self._container.duration / CONTAINER_TICKS_PER_S)
        return None

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Hand out one frame for each step of the grid that has one, in time order.

        Raises:
            CancelledCallError: `stop` was set. The decoder has ended when this is raised.
            InvalidInputError: A frame is larger than allowed, or nothing can be decoded.
        """
        handover: Handover[Frame] = queue.Queue(maxsize=QUEUE_FRAMES)
        abandoned = threading.Event()
        decoder = threading.Thread(target=self._fill, args=(handover, abandoned), name="vision-decoder")
        decoder.start()
        try:
            while (item := take(handover, stop)) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            abandoned.set()
            decoder.join()

    def _fill(self, handover: Handover[Frame], abandoned: threading.Event) -> None:
        try:
            for frame in self._decode():
                if not put(handover, frame, abandoned):
                    return
            put(handover, None, abandoned)
        except Exception as error:  # noqa: BLE001 - raised again where the frames are taken
            put(handover, error, abandoned)

    def _decode(self) -> Iterator[Frame]:
        found = False
        for packet in self._packets():
            self._tally(packet)
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
        if self.facts.packet_count and not found:
            raise InvalidInputError(
                "No frame of the picture can be decoded; export the recording again, as mp4 (H.264) or webm.",
                reason="MEDIA_UNDECODABLE",
            )

    def _packets(self) -> Iterator[Any]:
        """Packets of the track; a read error costs its packet, not the rest of the file."""
        failures = 0
        while failures < MAX_READ_FAILURES:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    yield packet
                return
            except av.error.FFmpegError:
                failures += 1
        self.facts.corrupt_packet_count += 1

    def _tally(self, packet: Any) -> None:
        if not packet.size:  # the flush at the end
            return
        facts = self.facts
        facts.packet_count += 1
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None:
            return
        time_s = float(ticks * packet.time_base) - self._origin_s
        facts.first_time_s = time_s if facts.first_time_s is None else min(facts.first_time_s, time_s)
        facts.last_time_s = time_s if facts.last_time_s is None else max(facts.last_time_s, time_s)
        facts.end_s = max(facts.end_s, time_s + float((packet.duration or 0) * packet.time_base))

    def _sample_time_s(self, frame: Any) -> float | None:
        """The frame's time where it is the first one of its step of the grid, else None."""
        ticks = self._clock.ticks(frame)
        if ticks is None or frame.time_base is None:
            raise InvalidInputError(
                "The picture has no times; send the recording in a container that has them, as mp4 or webm.",
                reason="MEDIA_UNDECODABLE",
            )
        time_s = max(0.0, float(ticks * frame.time_base) - self._origin_s)
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
        scale = min(1.0, MAX_SIDE_PX / max(frame.width, frame.height))
        width_px, height_px = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        rgb = frame.reformat(width=width_px, height=height_px, format="rgb24").to_ndarray()
        quarter_turns = round(frame.rotation / QUARTER_TURN_DEG) % 4
        self._note_size(frame, sideways=quarter_turns % 2 == 1)
        return np.ascontiguousarray(np.rot90(rgb, quarter_turns))

    def _note_size(self, frame: Any, *, sideways: bool) -> None:
        shown = (frame.height, frame.width) if sideways else (frame.width, frame.height)
        facts = self.facts
        if not facts.width_px:
            facts.width_px, facts.height_px = shown
        elif shown != (facts.width_px, facts.height_px):
            facts.size_changed = True


@contextmanager
def open_picture(recording: Path, *, grid_hz: float, max_pixels: int) -> Iterator[PictureTrack | None]:
    """Open a recording's picture track; None where it has none (a cover image is not one).

    Raises:
        InvalidInputError: The file is not a recording that can be read, or its picture is too large.
    """
    try:
        container = av.open(str(recording), options=dict(_OPEN_OPTIONS))
    except (av.error.FFmpegError, ValueError) as error:
        raise InvalidInputError(
            "The file is not a recording that can be read; send mp4, webm, mov, mkv or avi.",
            reason="MEDIA_UNDECODABLE",
        ) from error
    with container:
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            yield None
            return
        stream = streams[0]
        if stream.codec_context is None:
            raise InvalidInputError(
                "The picture's codec is not known here; export the recording again, as mp4 (H.264) or webm.",
                reason="MEDIA_UNDECODABLE",
            )
        _check_pixels(stream.codec_context.width, stream.codec_context.height, max_pixels)
        size_bytes = recording.stat().st_size
        yield PictureTrack(container, stream, size_bytes=size_bytes, grid_hz=grid_hz, max_pixels=max_pixels)


def _check_pixels(width_px: int, height_px: int, max_pixels: int) -> None:
    if width_px * height_px > max_pixels:
        raise InvalidInputError(
            f"The picture has {width_px}×{height_px} pixels, {max_pixels} are allowed; send it smaller.",
            reason="MEDIA_PIXELS_EXCEEDED",
        )
