"""Decodes a recording's sound block by block. It runs in a child process (`chassis.decoding.decoder`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av.error

from chassis.errors import InvalidInputError
from chassis.playback.opening import Recording, open_recording, undecodable
from chassis.playback.recording_warnings import in_order
from chassis.playback.samples import Samples
from chassis.playback.sound import SoundReader, choose_sound

BLOCK_SAMPLES = 1 << 18
"""Samples of one message at most: 16 s."""

Message = tuple[dict[str, Any], Any]


def decode(recording: Path, options: dict[str, Any], beat: Callable[[], None]) -> Iterator[Message]:
    """Yield whether there is sound, its samples (float32, shape (n,)), and last what is known about them.

    Args:
        recording: The file.
        options: `max_duration_s`.
        beat: Called while there is nothing to say.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), or the sound is longer
            than allowed (`MEDIA_TOO_LONG`).
    """
    max_duration_s = options["max_duration_s"]
    try:
        with open_recording(recording) as opened:
            stream = choose_sound(opened, max_duration_s, beat)
            if stream is None:
                _check_other_tracks(opened)
                yield {"has_sound": False}, None
                return
            yield {"has_sound": True}, None
            reader = SoundReader(opened, stream, max_duration_s)
            for block in _blocks(opened, reader, beat):
                for begin in range(0, block.size, BLOCK_SAMPLES):
                    yield {}, block[begin : begin + BLOCK_SAMPLES]
            if reader.is_undecodable:
                raise undecodable(recording)
            warnings = in_order((*opened.warnings(), *reader.warnings()))
            facts = {
                "damaged_packet_count": reader.damaged_packet_count,
                "warnings": [asdict(one) for one in warnings],
            }
            yield {"facts": facts}, None
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise undecodable(recording) from error


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


def _blocks(recording: Recording, reader: SoundReader, beat: Callable[[], None]) -> Iterator[Samples]:
    for packet in recording.packets():
        beat()
        yield from reader.read(packet)
    yield from reader.finish()
