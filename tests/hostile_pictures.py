"""Recordings whose picture is not what their header says: it grows in mid-file, or becomes another one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE_HZ = 10
GREY, RGB = 0, 2
"""Colour types of PNG."""


def png(width_px: int, height_px: int, colour: int = RGB, level: int = 128) -> bytes:
    """Return a picture of one grey level. A large one takes few bytes."""
    row = b"\0" + bytes([level]) * (width_px * (3 if colour == RGB else 1))
    press = zlib.compressobj(1)
    data = b"".join(press.compress(row) for _ in range(height_px)) + press.flush()
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_pieces((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")))


def _pieces(*pieces: tuple[bytes, bytes]) -> Iterator[bytes]:
    for name, data in pieces:
        yield struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write_pictures(path: Path, pictures: list[bytes], size_px: tuple[int, int] = (64, 48)) -> Path:
    """Write PNG pictures as a recording, ten a second. Its header says `size_px`, whatever they are."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("png", rate=RATE_HZ)
        stream.width, stream.height = size_px
        stream.pix_fmt = "rgb24"
        out.start_encoding()
        for index, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts = stream, index, index
            packet.time_base, packet.duration, packet.is_keyframe = Fraction(1, RATE_HZ), 1, True
            out.mux(packet)
    return path


def growing(path: Path, side_px: int, *, plain_count: int = 10, large_count: int = 10) -> Path:
    """Write a recording of small pictures, the last of which are squares of `side_px`."""
    return write_pictures(path, [png(64, 48)] * plain_count + [png(side_px, side_px)] * large_count)


def changing(path: Path, sizes_px: list[tuple[int, int]]) -> Path:
    """Write a recording whose pictures have these sizes, one after the other."""
    return write_pictures(path, [png(*size_px) for size_px in sizes_px], sizes_px[0])


def many_channels(path: Path, channel_count: int, rate_hz: int, seconds: float) -> Path:
    """Write a WAV of doubles with many channels, which a reader mixes to one."""
    frames = np.zeros((round(rate_hz * seconds), channel_count), "<f8")
    block = 8 * channel_count
    shape = struct.pack("<HHIIHH", 3, channel_count, rate_hz, rate_hz * block & 0xFFFFFFFF, block, 64)
    data = frames.tobytes()
    parts = b"WAVEfmt " + struct.pack("<I", 16) + shape + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(parts)) + parts)
    return path
