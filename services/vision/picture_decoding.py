"""Decodes a recording's picture once, also while the recording still grows.

It runs in a child process (`chassis/decoding/`), because pictures are hostile input. Nominal frame rates and
header durations decide nothing: a webm from a browser has neither. A recording that grows is decoded from
the front as it comes. Once it is whole, its packets are gone through as those of any file are. Only where
they are others than those that were decoded, decoding begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av.error

from chassis.errors import InvalidInputError
from chassis.growing import is_growing, wait_until_whole
from chassis.playback.opening import Recording, open_recording
from chassis.playback.packet_print import PacketPrint
from chassis.playback.picture import PictureTimes
from chassis.playback.recording_warnings import in_order
from chassis.playback.tracks import about_choice
from services.vision.picture_sampling import Message, PictureSampler, hints_of

MAX_STILL_COUNT = 10_000
"""More places in which the picture stands still are not listed."""

Beat = Callable[[], None]


@dataclass(frozen=True)
class _Early:
    """What was decoded while the recording grew."""

    sampler: PictureSampler
    hints: tuple[object, ...]
    packets: bytes
    """Their digest."""


def decode(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    """Yield whether there is a picture, its frames, and last what is known about it.

    `has_picture` may come a second time: what came before it counts no more.

    Args:
        recording: The file. It may still grow.
        options: `grid_hz`, `max_pixels`.
        beat: Called while there is nothing to say.

    Raises:
        InvalidInputError: The file is not a recording that can be read (`MEDIA_UNDECODABLE`), or its picture
            is too large (`MEDIA_PIXELS_EXCEEDED`).
    """
    early = None
    if is_growing(recording):
        early = yield from _as_it_grows(recording, options, beat)
        wait_until_whole(recording, beat)
    yield from _whole(recording, options, beat, early)


def _as_it_grows(
    recording: Path, options: dict[str, Any], beat: Beat
) -> Generator[Message, None, _Early | None]:
    """Decode what comes. What is wrong with it is told of the whole file, unless it is too much already."""
    try:
        with open_recording(recording, beat) as opened:
            stream = opened.tracks.picture
            if opened.beat is None or stream is None:
                return None
            hints, packets = hints_of(stream), PacketPrint(stream)
            sampler = PictureSampler(stream, **options)
            yield {"has_picture": True, "total_s": opened.total_s}, None
            for packet in opened.packets():
                beat()
                packets.add(packet)
                if packet.stream is stream:
                    yield from sampler.read(packet, None)
            return _Early(sampler, hints, packets.value())
    except InvalidInputError as error:
        if error.reason != "MEDIA_UNDECODABLE":
            raise
    except (av.error.FFmpegError, ValueError):
        pass
    return None


def _whole(recording: Path, options: dict[str, Any], beat: Beat, early: _Early | None) -> Iterator[Message]:
    with open_recording(recording) as opened:
        stream = opened.tracks.picture
        if stream is None:
            _check_no_picture(opened)
            yield {"has_picture": False}, None
            return
        if early is None:
            sampler = PictureSampler(stream, **options)
            yield {"has_picture": True, "total_s": opened.total_s}, None
            times = PictureTimes()
            yield from _frames(opened, sampler, times, beat)
            yield _facts(opened, sampler, times)
            return
        if early.hints == hints_of(stream):
            packets, times = _gone_through(opened, beat)
            if early.packets == packets:
                yield _facts(opened, early.sampler, times)
                return
    yield from _whole(recording, options, beat, None)


def _check_no_picture(recording: Recording) -> None:
    """Raise where there is a picture that nothing here can decode."""
    if recording.tracks.count("video"):
        raise InvalidInputError(
            f"The picture is in a format that is not known here ({recording.tracks.codec('video')}). "
            "Export the recording as MP4 (H.264).",
            reason="MEDIA_UNDECODABLE",
        )


def _frames(
    recording: Recording, sampler: PictureSampler, times: PictureTimes, beat: Beat
) -> Iterator[Message]:
    size_bytes, stream = recording.path.stat().st_size, recording.tracks.picture
    for packet in recording.packets():
        beat()
        if packet.stream is stream:
            times.read(packet)
            yield from sampler.read(packet, packet.pos / size_bytes if packet.pos and size_bytes else None)


def _gone_through(recording: Recording, beat: Beat) -> tuple[bytes, PictureTimes]:
    """Return the digest and the times of the packets, and decode none."""
    stream, times = recording.tracks.picture, PictureTimes()
    packets = PacketPrint(stream)
    for packet in recording.packets():
        beat()
        packets.add(packet)
        if packet.stream is stream:
            times.read(packet)
    return packets.value(), times


def _facts(recording: Recording, sampler: PictureSampler, times: PictureTimes) -> Message:
    if times.packet_count and not sampler.found:
        raise InvalidInputError(
            "No frame of the picture can be decoded. Export the recording again, as mp4 (H.264) or webm.",
            reason="MEDIA_UNDECODABLE",
        )
    recording_s = max(recording.timeline.end_s, times.shown_until_s)
    warnings = in_order(
        (*about_choice(recording.tracks), *recording.warnings(), *times.warnings(recording_s))
    )
    width_px, height_px = sampler.size_px or (0, 0)
    facts = {
        "width_px": width_px,
        "height_px": height_px,
        "size_changed": sampler.size_changed,
        "corrupt_packet_count": sampler.corrupt_packet_count + recording.failed_read_count,
        "packet_count": times.packet_count,
        "frame_rate_hz": times.frame_rate_hz,
        "first_s": times.first_s,
        "shown_until_s": times.shown_until_s,
        "stills_s": times.stills[:MAX_STILL_COUNT],
        "recording_s": recording_s,
        "warnings": [asdict(one) for one in warnings],
    }
    return {"facts": facts}, None
