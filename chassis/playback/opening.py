"""Opens a recording and hands out its packets on the recording's own clock.

The file is hostile until proven otherwise: local files and named containers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.stream import Discard

from chassis.containers import DEMUXERS, missing_bytes
from chassis.decoding.claims import check_file_claims, check_track_claims
from chassis.errors import InvalidInputError
from chassis.growing import Beat
from chassis.playback.front import front_reader
from chassis.playback.recording_warnings import RecordingWarning, clock_time
from chassis.playback.timeline import Timeline
from chassis.playback.tracks import Tracks, origin_of, tracks_of

OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
MAX_READ_FAILURES = 16
"""Read errors in a row after which the rest of a file is given up."""
SOUND_TOLERANCE_S, PICTURE_TOLERANCE_S = 0.3, 1.0
"""How far timestamps go back within one recording."""
REORDERED_FRAMES = 16
"""Frames are stored in another order than they are shown. This is the most that H.264 and H.265 allow."""
MAX_TOLERANCE_S = 30.0
"""A picture that hardly ever changes has a rate near 0."""
QUICKTIME = "mov,mp4,m4a,3gp,3g2,mj2"
MATROSKA = "matroska,webm"
UNREAD_RATIO, MIN_UNREAD_BYTES = 0.1, 1 << 14
"""FFmpeg ends a Matroska file at a second one that follows it, where the first has no length."""
CLOCK_STARTS_LATE_S = 0.5
"""Smaller offsets of a file's clock are not told."""


class Recording:
    """One open recording. Its packets can be gone through once.

    Args:
        container: The open file.
        path: Where it lies.
        beat: Called while more of the file is waited for. None: the file is whole.
    """

    def __init__(self, container: InputContainer, path: Path, beat: Beat | None = None) -> None:
        self.container = container
        self.path = path
        self.beat = beat
        self.tracks: Tracks = tracks_of(container, path)
        self.timeline = Timeline(origin_of(self.tracks))
        self.missing_bytes = missing_bytes(path) if beat is None else 0
        self.hidden_s = 0.0
        """Seconds of the longest track that the file hides from players."""
        self.failed_read_count = 0
        self._read_to = 0
        # Fractions are exact and slow: a packet's time is asked for a hundred times a second.
        self._tick_s = {one.index: float(one.time_base) for one in self.tracks.timed if one.time_base}
        self._tolerance_s = {one.index: _tolerance_s(one) for one in self.tracks.timed}

    @property
    def total_s(self) -> float | None:
        """Length as the header claims it. None where it claims nothing."""
        duration = self.container.duration
        return duration / av.time_base if duration else None

    @property
    def clock_offset_s(self) -> float:
        """What a player that keeps the file's clock shows at the first sample."""
        return self.timeline.origin_s

    def packets(self) -> Iterator[Any]:
        """Yield all packets of sound and picture. Their times are seconds of the recording.

        A packet that is decoded and not shown has `is_discard` set. The last packet of each track is empty
        and makes its decoder give out what it holds. A read error costs its packet, not the rest of the file.
        """
        hidden_s: dict[int, float] = {}
        for packet in self._all_packets():
            if packet.size:
                self._read_to = max(self._read_to, (packet.pos or 0) + packet.size)
                self._place(packet, hidden_s)
            yield packet
        self.hidden_s = max(hidden_s.values(), default=0.0)

    def _all_packets(self) -> Iterator[Any]:
        streams = self.tracks.timed
        if not streams:
            return
        if not self.missing_bytes or self.container.format.name != QUICKTIME:
            yield from self._read(streams)
            return
        # FFmpeg ends at the first piece that is cut off, and the other tracks may go on behind it.
        for stream in streams:
            for other in streams:
                other.discard = Discard.default if other is stream else Discard.all
            if stream is not streams[0]:
                self.container.seek(0)
            yield from self._read((stream,))

    def _read(self, streams: Sequence[Any]) -> Iterator[Any]:
        failure_count = 0
        while failure_count < MAX_READ_FAILURES:
            try:
                for packet in self.container.demux(*streams):
                    failure_count = 0
                    yield packet
                return
            except av.error.FFmpegError:
                failure_count += 1
        self.failed_read_count += 1

    def _place(self, packet: Any, hidden_s: dict[int, float]) -> None:
        pts, dts, stream = packet.pts, packet.dts, packet.stream
        ticks, track = pts if pts is not None else dts, stream.index
        base_s = self._tick_s.get(track)
        if ticks is None or base_s is None:
            return
        if packet.is_discard:
            hidden_s[track] = hidden_s.get(track, 0.0) + (packet.duration or 0) * base_s
            shift_s = self.timeline.hidden_shift_s(track)
        else:
            time_s = ticks * base_s
            shift_s = self.timeline.shift_s(track, time_s, self._tolerance_s[track])
            if stream.codec_context is not None:
                self.timeline.cover(time_s + shift_s + (packet.duration or 0) * base_s)
        if shift := round(shift_s / base_s):
            packet.pts = pts + shift if pts is not None else None
            packet.dts = dts + shift if dts is not None else None

    @property
    def _unread_ratio(self) -> float:
        """Share of the file behind the last packet, where the container has nothing long to say there."""
        size_bytes = self.path.stat().st_size
        behind = size_bytes - self._read_to
        if self.container.format.name != MATROSKA or not self._read_to or behind < MIN_UNREAD_BYTES:
            return 0.0
        return behind / size_bytes

    def warnings(self) -> list[RecordingWarning]:
        """Say what was found out about the file as a whole, once its packets were gone through."""
        return [*self._about_damage(), *self._about_clock()]

    def _about_damage(self) -> Iterator[RecordingWarning]:
        end_s, total_s = self.timeline.end_s, self.total_s
        if self.missing_bytes:
            lost = f" of {clock_time(total_s)}" if total_s and total_s > end_s else ""
            yield RecordingWarning(
                "MEDIA_TRUNCATED",
                f"The file is cut off: its end is missing. What is there was used, {clock_time(end_s)}{lost} "
                "(min:s). Upload the whole file to have all of it assessed.",
                end_s if lost else None,
                total_s if lost else None,
            )
        elif self.failed_read_count or self._unread_ratio >= UNREAD_RATIO:
            yield RecordingWarning(
                "MEDIA_DAMAGED",
                "The file can't be read to its end: it is damaged, or it holds a second recording. "
                "What could be read was used.",
                end_s,
            )

    def _about_clock(self) -> Iterator[RecordingWarning]:
        for joint_s in self.timeline.joints_s:
            yield RecordingWarning(
                "RECORDINGS_JOINED",
                f"The file's clock goes back at {clock_time(joint_s)}: it holds more than one recording. "
                "They are laid one after the other here. A player may show only one of them.",
                joint_s,
            )
        if self.clock_offset_s >= CLOCK_STARTS_LATE_S:
            yield RecordingWarning(
                "CLOCK_STARTS_LATE",
                f"The file's own clock begins at {self.clock_offset_s:.1f} s. Times here count from the "
                "first sample.",
            )
        if self.hidden_s >= CLOCK_STARTS_LATE_S:
            yield RecordingWarning(
                "HIDDEN_PARTS",
                f"The file hides {self.hidden_s:.1f} s from players, because it was cut without being "
                "encoded again. They were not assessed.",
            )


def _tolerance_s(stream: Any) -> float:
    """Return how far timestamps go back within one recording. With few frames a second they go further."""
    if stream.type == "audio":
        return SOUND_TOLERANCE_S
    reordered_s = REORDERED_FRAMES / float(stream.average_rate) if stream.average_rate else 0.0
    return min(MAX_TOLERANCE_S, max(PICTURE_TOLERANCE_S, reordered_s))


@contextmanager
def open_recording(path: Path, beat: Beat | None = None) -> Iterator[Recording]:
    """Open a recording.

    Args:
        path: Where it lies.
        beat: Called while more of a file that still grows is waited for. What can't be read from the front is
            waited for to its end. None: the file is whole.

    Raises:
        InvalidInputError: The file is not a recording's container, or it is too damaged to be opened
            (`MEDIA_UNDECODABLE`).
    """
    front = front_reader(path, beat) if beat is not None else None
    if front is None:
        check_file_claims(path)
    options = dict(OPEN_OPTIONS)
    with front or nullcontext():  # PyAV does not close what it is given
        try:
            container = av.open(front or str(path), mode="r", metadata_errors="ignore", options=options)
        except (av.error.FFmpegError, ValueError) as error:
            # PyAV raises ValueError where a header promises a layout or rate that FFmpeg refuses.
            raise undecodable(path) from error
        with container:
            check_track_claims(tuple(container.streams))
            yield Recording(container, path, beat if front is not None else None)


def undecodable(path: Path) -> InvalidInputError:
    """Return the error for a recording of which nothing can be decoded."""
    cut_off = path.stat().st_size > 0 and missing_bytes(path) > 0
    return InvalidInputError(
        "The recording is cut off, and what is left can't be decoded. Upload the whole file."
        if cut_off
        else "The recording can't be decoded. Send a complete MP4, WebM, MKV, MOV or AVI file.",
        reason="MEDIA_UNDECODABLE",
    )
