"""MP4 files box by box, which claim what a test tells them to."""

from __future__ import annotations

import struct
from dataclasses import dataclass

UNIT_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
ENGLISH = 0x55C4


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box of the MP4 family."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def full_box(name: bytes, *parts: bytes, flags: int = 0) -> bytes:
    """Return a box with version 0 and flags."""
    return box(name, struct.pack(">I", flags), *parts)


def words(*numbers: int) -> bytes:
    """Return numbers of 32 bits."""
    return struct.pack(f">{len(numbers)}I", *numbers)


@dataclass(frozen=True)
class Claim:
    """What a track of an MP4 claims to be."""

    sample_count: int = 10
    sample_bytes: int = 100
    codec: bytes = b"mp4v"
    size_px: tuple[int, int] = (64, 48)
    is_sound: bool = False
    channel_count: int = 2
    rate_hz: int = 48_000
    ticks: int = 100
    """Of each sample, 1,000 a second."""
    edit_count: int = 0
    edit_ticks: int = 1
    """Length of each edit."""
    begins_with_pause: bool = False
    """Whether there is one more edit, before the others, that shows nothing."""
    outside: str = ""
    """Where its samples are said to lie: a path or an address (`dref`)."""


def mp4(*claims: Claim, fragments: bytes = b"") -> bytes:
    """Return an MP4 whose tracks claim what is said, with a few bytes behind."""
    total = max((claim.sample_count * claim.ticks for claim in claims), default=0) & 0xFFFFFFFF
    header = full_box(
        b"mvhd",
        words(0, 0, 1000, total),
        struct.pack(">IH", 0x10000, 0x100),
        bytes(10),
        UNIT_MATRIX,
        bytes(24),
        words(len(claims) + 1),
    )
    tracks = [_track(number, claim) for number, claim in enumerate(claims, start=1)]
    extends = [
        full_box(b"trex", words(number, 1, claim.ticks, claim.sample_bytes, 0))
        for number, claim in enumerate(claims, start=1)
    ]
    more = [box(b"mvex", *extends)] if fragments else []
    return (
        box(b"ftyp", b"isom", words(0), b"isom")
        + box(b"moov", header, *tracks, *more)
        + fragments
        + box(b"mdat", bytes(1000))
    )


def fragment(track_id: int, *sample_counts: int) -> bytes:
    """Return a piece of a fragmented MP4 whose runs claim so many samples."""
    runs = [full_box(b"trun", words(count)) for count in sample_counts]
    place = full_box(b"tfhd", words(track_id), flags=0x020000)
    return box(
        b"moof",
        full_box(b"mfhd", words(1)),
        box(b"traf", place, full_box(b"tfdt", words(0)), *runs),
    )


def _track(number: int, claim: Claim) -> bytes:
    width, height = claim.size_px
    total = claim.sample_count * claim.ticks & 0xFFFFFFFF
    header = full_box(
        b"tkhd",
        words(0, 0, number, 0, total),
        bytes(16),
        UNIT_MATRIX,
        words((width & 0xFFFF) << 16, (height & 0xFFFF) << 16),
        flags=3,
    )
    pause = words(1, 0xFFFFFFFF, 0x10000) if claim.begins_with_pause else b""
    shown = words(claim.edit_ticks, 0, 0x10000) * claim.edit_count
    count = words(claim.edit_count + claim.begins_with_pause)
    edits = [box(b"edts", full_box(b"elst", count, pause, shown))]
    media = box(
        b"mdia",
        full_box(b"mdhd", words(0, 0, 1000, total), struct.pack(">HH", ENGLISH, 0)),
        full_box(b"hdlr", words(0), b"soun" if claim.is_sound else b"vide", bytes(12), b"x\0"),
        box(b"minf", _where(claim.outside), _samples(claim)),
    )
    return box(b"trak", header, *(edits if claim.edit_count else []), media)


def _where(outside: str) -> bytes:
    if not outside:
        return box(b"dinf", full_box(b"dref", words(1), full_box(b"url ", flags=1)))
    return box(
        b"dinf", full_box(b"dref", words(2), full_box(b"url ", outside.encode() + b"\0"), _alias(outside))
    )


def _alias(path: str) -> bytes:
    """Return a reference as classic Mac OS wrote it: FFmpeg can follow it to a file."""
    name = path.encode()
    head = bytes(6) + struct.pack(">HH", 0, 2) + struct.pack(">H", 0)
    head += (
        b"\x02HD" + bytes(25) + bytes(12) + bytes([len(name) & 63]) + name[:63].ljust(63, b"\0") + bytes(36)
    )
    return full_box(b"alis", head + struct.pack(">HH", 2, len(name)) + name + struct.pack(">H", 0xFFFF))


def _samples(claim: Claim) -> bytes:
    return box(
        b"stbl",
        full_box(b"stsd", words(1), _entry(claim)),
        full_box(b"stts", words(1, claim.sample_count, claim.ticks)),
        full_box(b"stsc", words(1, 1, claim.sample_count, 1)),
        full_box(b"stsz", words(claim.sample_bytes, claim.sample_count)),
        full_box(b"stco", words(1, 1024)),
    )


def _entry(claim: Claim) -> bytes:
    start = bytes(6) + struct.pack(">H", 1)
    if claim.is_sound:
        rate = claim.rate_hz << 16 if claim.rate_hz < 1 << 16 else 0
        sound = struct.pack(">HHHHI", claim.channel_count, 16, 0, 0, rate)
        return box(claim.codec, start, bytes(8), sound)
    picture = struct.pack(">HH", *claim.size_px) + bytes(46) + struct.pack(">hh", 24, -1)
    return box(claim.codec, start, bytes(16), picture)
