"""Loads a recording's whole sound, as stages that listen to it need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av.error
import numpy as np

from chassis.errors import InvalidInputError
from chassis.playback.opening import Recording, open_recording, undecodable
from chassis.playback.recording_warnings import RecordingWarning, in_order
from chassis.playback.sound import SAMPLE_RATE_HZ, Samples, SoundReader, choose_sound

BLOCK_SAMPLES = 60 * SAMPLE_RATE_HZ
"""What is cleaned at once: an hour takes 230 MB, and each copy of it as much again."""


@dataclass(frozen=True)
class Sound:
    """The sound of a recording."""

    samples: Samples
    """float32 in [-1, 1], shape (n,), at `SAMPLE_RATE_HZ`, from the first sample of the recording."""
    damaged_packet_count: int = 0
    """Packets that could not be decoded and are missing from `samples`."""
    warnings: tuple[RecordingWarning, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


def load_sound(path: Path, max_duration_s: float, check: Callable[[], None] = lambda: None) -> Sound | None:
    """Decode the sound that a player plays to finite mono samples without offset.

    Args:
        path: The recording.
        max_duration_s: Longest sound.
        check: Called every now and then. Raises to end the work.

    Returns:
        The sound, or None where the recording has a picture but no sound track.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), or the sound is longer
            than allowed (`MEDIA_TOO_LONG`).
    """
    try:
        with open_recording(path) as recording:
            stream = choose_sound(recording, max_duration_s, check)
            if stream is None:
                _check_other_tracks(recording)
                return None
            return _load(recording, SoundReader(recording, stream, max_duration_s), check)
    except (av.error.FFmpegError, ValueError) as error:
        raise undecodable(path) from error


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


def _load(recording: Recording, reader: SoundReader, check: Callable[[], None]) -> Sound:
    # One growing buffer of bytes: joining a list of arrays would need twice the memory at the end.
    buffer = bytearray()
    for block in _blocks(recording, reader):
        check()
        buffer += block.tobytes()
    if reader.is_undecodable:
        raise undecodable(recording.path)
    samples = np.frombuffer(buffer, np.float32)
    clean(samples)
    warnings = in_order((*recording.warnings(), *reader.warnings()))
    return Sound(samples, reader.damaged_packet_count, warnings)


def _blocks(recording: Recording, reader: SoundReader) -> Iterator[Samples]:
    for packet in recording.packets():
        yield from reader.read(packet)
    yield from reader.finish()


def clean(samples: Samples) -> None:
    """Make samples finite, within full scale and free of a constant offset, in place.

    What is not a number becomes silence: a float file may hold it. What is louder than full scale is cut, as
    every player does.
    """
    blocks = [samples[start : start + BLOCK_SAMPLES] for start in range(0, len(samples), BLOCK_SAMPLES)]
    total = 0.0
    for block in blocks:
        np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(block, -1.0, 1.0, out=block)
        total += float(np.sum(block, dtype=np.float64))
    offset = np.float32(total / max(1, len(samples)))
    for block in blocks:
        np.clip(block - offset, -1.0, 1.0, out=block)
