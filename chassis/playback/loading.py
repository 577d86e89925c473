"""Loads a recording's sound, as stages that listen to it need it: whole, or as it comes.

Recordings are decoded in a child process. What our own extraction writes, plain PCM, is read in this one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chassis.decoding.child_limits import ChildLimits
from chassis.decoding.decoder import MAX_GROWING_COUNT, ChildDecoder, Decoder, Piece
from chassis.decoding.decoder_refusals import failed, told_right
from chassis.playback.cleaning import Cleaner
from chassis.playback.plain_wav import NotPlainError, plain_blocks
from chassis.playback.recording_warnings import RecordingWarning
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples

FUNCTION = "chassis.playback.sound_decoding:decode"
SAMPLE_BYTES = 4
SLOT_BYTES = (1 << 18) * SAMPLE_BYTES
LIMITS = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=1800.0)
"""An hour of AAC takes about 15 CPU-seconds. Eight tracks are compared where there are several."""


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


def sound_decoder(
    limits: ChildLimits = LIMITS, *, keeps_spare: bool = False, growing_count: int = MAX_GROWING_COUNT
) -> ChildDecoder:
    """Return what decodes sound in child processes. `growing_count` are for recordings that still grow."""
    return ChildDecoder(
        FUNCTION, SLOT_BYTES, limits, keeps_spare=keeps_spare, max_growing_count=max(1, growing_count)
    )


def load_sound(
    path: Path, max_duration_s: float, stop: threading.Event, decoder: Decoder | None = None
) -> Sound | None:
    """Decode the sound that a player plays to finite mono samples without offset.

    Args:
        path: The recording. One that still grows is waited for.
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
    arriving = ArrivingSound(path, max_duration_s, stop, decoder)
    # One growing buffer of bytes: joining a list of arrays would need twice the memory at the end.
    buffer = bytearray()
    for block in arriving.blocks():
        if block is None:
            buffer = bytearray()
        else:
            buffer += block.data
    if not arriving.has_sound:
        return None
    samples = np.frombuffer(buffer, np.float32)
    return Sound(samples, arriving.damaged_packet_count, arriving.warnings)


class ArrivingSound:
    """The sound of a recording, block by block as it is decoded, also while the recording grows.

    Args:
        path: The recording.
        max_duration_s: Longest sound.
        stop: Set when the caller gave up.
        decoder: Decodes it. None: a child process of its own.
    """

    def __init__(
        self, path: Path, max_duration_s: float, stop: threading.Event, decoder: Decoder | None = None
    ) -> None:
        self._path = path
        self._max_duration_s = max_duration_s
        self._stop = stop
        self._decoder = decoder
        self.has_sound = True
        """Known after the last block, as the following are."""
        self.damaged_packet_count = 0
        self.warnings: tuple[RecordingWarning, ...] = ()

    def blocks(self) -> Iterator[Samples | None]:
        """Yield clean samples (float32 in [-1, 1], shape (n,)), or None: what came so far counts no more.

        Raises:
            InvalidInputError: As `load_sound` does.
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        cleaner = Cleaner()
        for block in self.raw_blocks():
            if block is None:
                cleaner = Cleaner()
                yield None
            else:
                yield cleaner.take(block)
        yield cleaner.finish()

    def raw_blocks(self) -> Iterator[Samples | None]:
        """Yield the same as the decoder gives it: not cleaned."""
        try:
            yield from plain_blocks(self._path, self._max_duration_s, self._stop)
        except NotPlainError as error:
            if error.is_late:
                yield None
            yield from self._decoded()

    def _decoded(self) -> Iterator[Samples | None]:
        decoder = self._decoder or sound_decoder()
        with decoder.open(self._path, {"max_duration_s": self._max_duration_s}, self._stop) as pieces:
            with told_right():
                self.has_sound = bool(next(pieces).values["has_sound"])
            sample_count, facts = 0, None
            for piece in pieces:
                if "has_sound" in piece.values:
                    self.has_sound, sample_count = bool(piece.values["has_sound"]), 0
                    yield None
                samples = _samples_of(piece)
                sample_count += samples.size
                if sample_count > (self._max_duration_s + 1.0) * SAMPLE_RATE_HZ:
                    raise failed()  # the child holds the limit, unless it is not ours any more
                facts = piece.values.get("facts", facts)
                if samples.size:
                    yield samples
        if self.has_sound:
            self._note(facts)

    def _note(self, facts: Mapping[str, Any] | None) -> None:
        with told_right():
            if facts is None:
                raise ValueError("the decoder said nothing about the sound")
            self.warnings = tuple(RecordingWarning(**one) for one in facts["warnings"])
            self.damaged_packet_count = int(facts["damaged_packet_count"])


def _samples_of(piece: Piece) -> Samples:
    if len(piece.payload) % SAMPLE_BYTES:
        raise failed()
    return np.frombuffer(piece.payload, np.float32)
