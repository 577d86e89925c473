"""Decodes a recording's sound block by block. It runs in a child process (`chassis.decoding.decoder`).

A recording that still grows is decoded from the front as it comes. Once it is whole, its packets are gone
through as those of any file are. Only where they are others than those that were decoded, it begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av.error

from chassis.errors import InvalidInputError
from chassis.growing import is_growing, wait_until_whole
from chassis.playback.opening import Recording, open_recording, undecodable
from chassis.playback.packet_print import PacketPrint
from chassis.playback.recording_warnings import in_order
from chassis.playback.samples import Samples
from chassis.playback.sound import SoundReader, choose_sound

BLOCK_SAMPLES = 1 << 18
"""Samples of one message at most: 16 s."""

Message = tuple[dict[str, Any], Any]
Beat = Callable[[], None]


@dataclass(frozen=True)
class _Early:
    """What was decoded while the recording grew."""

    reader: SoundReader
    packets: bytes
    """Their digest."""


def decode(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    """Yield whether there is sound, its samples (float32, shape (n,)), and last what is known about them.

    `has_sound` may come a second time: what came before it counts no more.

    Args:
        recording: The file. It may still grow.
        options: `max_duration_s`.
        beat: Called while there is nothing to say.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), or the sound is longer
            than allowed (`MEDIA_TOO_LONG`).
    """
    early = None
    if is_growing(recording):
        early = yield from _as_it_grows(recording, options["max_duration_s"], beat)
        wait_until_whole(recording, beat)
    try:
        yield from _whole(recording, options["max_duration_s"], beat, early)
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise undecodable(recording) from error


def _as_it_grows(
    recording: Path, max_duration_s: float, beat: Beat
) -> Generator[Message, None, _Early | None]:
    """Decode what comes. What is wrong with it is told of the whole file, unless it is too much already."""
    try:
        with open_recording(recording, beat) as opened:
            if opened.beat is None or (stream := choose_sound(opened, max_duration_s, beat)) is None:
                return None
            yield {"has_sound": True}, None
            reader, packets = SoundReader(opened, stream, max_duration_s), PacketPrint(stream)
            yield from _messages(_blocks(opened, reader, beat, packets))
            return _Early(reader, packets.value())
    except InvalidInputError as error:
        if error.reason != "MEDIA_UNDECODABLE":
            raise
    except (av.error.FFmpegError, ValueError):
        pass
    return None


def _whole(recording: Path, max_duration_s: float, beat: Beat, early: _Early | None) -> Iterator[Message]:
    with open_recording(recording) as opened:
        stream = choose_sound(opened, max_duration_s, beat)
        if stream is None:
            _check_other_tracks(opened)
            yield {"has_sound": False}, None
            return
        if early is None:
            yield {"has_sound": True}, None
            reader = SoundReader(opened, stream, max_duration_s)
            yield from _messages(_blocks(opened, reader, beat))
            yield _facts(opened, reader)
            return
        if _gone_through(opened, stream, beat) == early.packets:
            early.reader.belongs_to(opened, stream)
            yield _facts(opened, early.reader)
            return
    yield from _whole(recording, max_duration_s, beat, None)


def _gone_through(recording: Recording, stream: Any, beat: Beat) -> bytes:
    packets = PacketPrint(stream)
    for packet in recording.packets():
        beat()
        packets.add(packet)
    return packets.value()


def _facts(recording: Recording, reader: SoundReader) -> Message:
    if reader.is_undecodable:
        raise undecodable(recording.path)
    warnings = in_order((*recording.warnings(), *reader.warnings()))
    facts = {
        "damaged_packet_count": reader.damaged_packet_count,
        "warnings": [asdict(one) for one in warnings],
    }
    return {"facts": facts}, None


def _check_other_tracks(recording: Recording) -> None:
    """Raise unless there is a picture and no sound track at all."""
    tracks = recording.tracks
    if tracks.count("audio"):
        raise InvalidInputError(
            f"The sound is in a format that is not known here ({tracks.codec('audio')}). "
            "Export the recording as MP4 (H.264 and AAC).",
            reason="MEDIA_UNDECODABLE",
        )
    if not tracks.count("video"):
        raise undecodable(recording.path)


def _blocks(
    recording: Recording, reader: SoundReader, beat: Beat, packets: PacketPrint | None = None
) -> Iterator[Samples]:
    for packet in recording.packets():
        beat()
        if packets is not None:
            packets.add(packet)
        yield from reader.read(packet)
    yield from reader.finish()


def _messages(blocks: Iterator[Samples]) -> Iterator[Message]:
    for block in blocks:
        for begin in range(0, block.size, BLOCK_SAMPLES):
            yield {}, block[begin : begin + BLOCK_SAMPLES]
