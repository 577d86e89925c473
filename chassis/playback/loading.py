"""Loads a recording's whole sound, as stages that listen to it need it.

Recordings are decoded in a child process. What our own extraction writes, plain PCM, is read here: no decoder
is needed for it.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chassis.decoding.child_limits import ChildLimits
from chassis.decoding.decoder import ChildDecoder, Decoder, Piece
from chassis.decoding.decoder_refusals import failed, told_right
from chassis.errors import CancelledCallError
from chassis.playback.recording_warnings import RecordingWarning
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples, too_long

BLOCK_SAMPLES = 60 * SAMPLE_RATE_HZ
"""What is cleaned at once: an hour takes 230 MB, and each copy of it as much again."""
FUNCTION = "chassis.playback.sound_decoding:decode"
SAMPLE_BYTES = 4
SLOT_BYTES = (1 << 18) * SAMPLE_BYTES
LIMITS = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=1800.0)
"""An hour of AAC takes about 15 CPU-seconds. Eight tracks are compared where there are several."""
_PLAIN_WAV = struct.Struct("<4sI8sIHHIIHH4sI")
_PLAIN_FORMAT = (16, 1, 1, SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16)
"""The size of the format, PCM, mono, samples a second, bytes a second, bytes and bits of a sample."""
FULL_SCALE = np.float32(32_768.0)


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


def sound_decoder(limits: ChildLimits = LIMITS, *, keeps_spare: bool = False) -> ChildDecoder:
    """Return what decodes sound in child processes."""
    return ChildDecoder(FUNCTION, SLOT_BYTES, limits, keeps_spare=keeps_spare)


def load_sound(
    path: Path, max_duration_s: float, stop: threading.Event, decoder: Decoder | None = None
) -> Sound | None:
    """Decode the sound that a player plays to finite mono samples without offset.

    Args:
        path: The recording.
        max_duration_s: Longest sound.
        stop: Set when the caller gave up.
        decoder: Decodes it. None: a child process of its own.

    Returns:
        The sound, or None where the recording has a picture but no sound track.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), the sound is longer
            than allowed (`MEDIA_TOO_LONG`), or decoding it costs too much or fails (`MEDIA_TOO_COMPLEX`,
            `MEDIA_DECODER_FAILED`).
        CancelledCallError: `stop` was set (`CANCELLED`).
    """
    sound = _plain_sound(path, max_duration_s, stop) or _decoded(
        path, max_duration_s, stop, decoder or sound_decoder()
    )
    if sound is not None:
        clean(sound.samples)
    return sound


def _decoded(path: Path, max_duration_s: float, stop: threading.Event, decoder: Decoder) -> Sound | None:
    with decoder.open(path, {"max_duration_s": max_duration_s}, stop) as pieces:
        with told_right():
            if not next(pieces).values["has_sound"]:
                return None
        # One growing buffer of bytes: joining a list of arrays would need twice the memory at the end.
        buffer = bytearray()
        facts: Mapping[str, Any] | None = None
        for piece in pieces:
            buffer += _samples_of(piece)
            if len(buffer) > (max_duration_s + 1.0) * SAMPLE_RATE_HZ * SAMPLE_BYTES:
                raise failed()  # the child holds the limit, unless it is not ours any more
            facts = piece.values.get("facts", facts)
    samples = np.frombuffer(buffer, np.float32)
    with told_right():
        if facts is None:
            raise ValueError("the decoder said nothing about the sound")
        warnings = tuple(RecordingWarning(**one) for one in facts["warnings"])
        return Sound(samples, int(facts["damaged_packet_count"]), warnings)


def _samples_of(piece: Piece) -> bytearray:
    if len(piece.payload) % SAMPLE_BYTES:
        raise failed()
    return piece.payload


def _plain_sound(path: Path, max_duration_s: float, stop: threading.Event) -> Sound | None:
    """Read what our own extraction writes. None for every other file, also for one that is cut off."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_PLAIN_WAV.size)
        if len(header) < _PLAIN_WAV.size:
            return None
        riff, riff_bytes, wave, *form, data, data_bytes = _PLAIN_WAV.unpack(header)
        names = (riff, wave, data) == (b"RIFF", b"WAVEfmt ", b"data")
        whole = (riff_bytes, data_bytes) == (size_bytes - 8, size_bytes - _PLAIN_WAV.size)
        if not names or not whole or tuple(form) != _PLAIN_FORMAT or not data_bytes or data_bytes % 2:
            return None
        sample_count = data_bytes // 2
        if sample_count / SAMPLE_RATE_HZ > max_duration_s:
            raise too_long(max_duration_s)
        samples = np.empty(sample_count, np.float32)
        for begin in range(0, sample_count, BLOCK_SAMPLES):
            if stop.is_set():
                raise CancelledCallError(
                    "The caller gave up before the recording was done.", reason="CANCELLED"
                )
            block = np.fromfile(file, "<i2", min(BLOCK_SAMPLES, sample_count - begin))
            samples[begin : begin + block.size] = block
        samples /= FULL_SCALE
    return Sound(samples)


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
