"""Reads the WAV that our own extraction writes, plain PCM, without a decoder, also while it grows."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chassis.errors import CancelledCallError
from chassis.growing import FrontReader, is_growing
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples, too_long

BLOCK_BYTES = 60 * 2 * SAMPLE_RATE_HZ
TO_THE_END = 0xFFFF_FFFF
"""What a writer says who does not know the size yet: the sound goes on to the file's end."""
_PLAIN_WAV = struct.Struct("<4sI8sIHHIIHH4sI")
_PLAIN_FORMAT = (16, 1, 1, SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16)
"""The size of the format, PCM, mono, samples a second, bytes a second, bytes and bits of a sample."""
OPEN_END_BYTES = TO_THE_END - 1
FULL_SCALE = np.float32(32_768.0)


class NotPlainError(Exception):
    """A file is another one, or it is cut off.

    Args:
        is_late: Whether samples of it were given out before that was known.
    """

    def __init__(self, *, is_late: bool) -> None:
        super().__init__("not a plain WAV")
        self.is_late = is_late


def plain_blocks(path: Path, max_duration_s: float, stop: threading.Event) -> Iterator[Samples]:
    """Yield the samples as they are there: float32 in [-1, 1), shape (n,).

    Args:
        path: The file. It may still grow.
        max_duration_s: Longest sound.
        stop: Set when the caller gave up.

    Raises:
        NotPlainError: It is another file, or not all of it is there.
        InvalidInputError: The sound is longer than allowed (`MEDIA_TOO_LONG`).
        CancelledCallError: `stop` was set (`CANCELLED`).
    """

    def check() -> None:
        if stop.is_set():
            raise CancelledCallError("The caller gave up before the recording was done.", reason="CANCELLED")

    with FrontReader(path, check) as file:
        claimed_bytes = _claimed_bytes(_read(file, _PLAIN_WAV.size))
        if claimed_bytes is None or claimed_bytes % 2 or _is_cut_off(path, claimed_bytes):
            raise NotPlainError(is_late=False)
        if claimed_bytes != OPEN_END_BYTES and claimed_bytes / 2 / SAMPLE_RATE_HZ > max_duration_s:
            raise too_long(max_duration_s)
        read_bytes, rest = 0, b""
        while data := file.read(BLOCK_BYTES):
            check()
            read_bytes += len(data)
            if read_bytes / 2 / SAMPLE_RATE_HZ > max_duration_s:
                raise too_long(max_duration_s)
            data, rest = _even(rest + data)
            if data:
                yield np.frombuffer(data, "<i2").astype(np.float32) / FULL_SCALE
    if not read_bytes or rest or claimed_bytes not in (read_bytes, OPEN_END_BYTES):
        raise NotPlainError(is_late=read_bytes > len(rest))


def _is_cut_off(path: Path, claimed_bytes: int) -> bool:
    """Tell whether a file that grows no more has another length than it says."""
    whole_bytes = _PLAIN_WAV.size + claimed_bytes
    return claimed_bytes != OPEN_END_BYTES and not is_growing(path) and path.stat().st_size != whole_bytes


def _even(data: bytes) -> tuple[bytes, bytes]:
    whole = len(data) // 2 * 2
    return data[:whole], data[whole:]


def _read(file: FrontReader, size_bytes: int) -> bytes:
    head = b""
    while len(head) < size_bytes and (more := file.read(size_bytes - len(head))):
        head += more
    return head


def _claimed_bytes(header: bytes) -> int | None:
    """Return how many bytes of samples there are by the header. None for another file."""
    if len(header) < _PLAIN_WAV.size:
        return None
    riff, riff_bytes, wave, *form, data, data_bytes = _PLAIN_WAV.unpack(header)
    if (riff, wave, data) != (b"RIFF", b"WAVEfmt ", b"data") or tuple(form) != _PLAIN_FORMAT:
        return None
    if riff_bytes == data_bytes == TO_THE_END:
        return OPEN_END_BYTES
    return int(data_bytes) if data_bytes and riff_bytes == data_bytes + _PLAIN_WAV.size - 8 else None
