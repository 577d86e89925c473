"""Which containers recordings come in, told by their own bytes. A name's extension is a hint, never proof.

The one list of demuxers for every reader stands here, and so does what a file's own sizes say about its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpeg,mpegts,"
    "ogg,wav,w64,aiff,caf,au,flac,mp3,aac,amr,ac3,wv,ape,tta"
)
"""FFmpeg's names of what recorders write. Left out: playlists, image sequences and network formats, which
make the reader open other files, and text that is rendered as video."""

SNIFF_BYTES = 64
"""Enough for every signature below. EBML's DocType stands within its first 40 bytes or so."""
MIN_SNIFF_BYTES = 12
"""The shortest signature: `RIFF` + size + `AVI `."""

ALLOWED_EXTENSIONS = (".mp4", ".avi", ".mov", ".mkv", ".webm")

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}

_QUICKTIME_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""Atoms that a file of the MP4 family begins with. QuickTime of before 2001 has no `ftyp`."""
_EBML_MAGIC = b"\x1a\x45\xdf\xa3"


def sniff_extension(head: bytes) -> str | None:
    """Return the extension that the first bytes of a file call for, or None where they are not a video's.

    Args:
        head: At least `SNIFF_BYTES` bytes, or the whole of a shorter file.
    """
    if head[4:8] in _QUICKTIME_ATOMS:
        return ".mov" if head[4:8] != b"ftyp" or head[8:12] == b"qt  " else ".mp4"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ".avi"
    if head[:4] == _EBML_MAGIC:
        return ".webm" if b"webm" in head[:SNIFF_BYTES] else ".mkv"
    return None


def storage_extension(claimed: str, sniffed: str) -> str:
    """Return the extension to store under: the claimed one where both are of one family."""
    families = ({".mp4", ".mov"}, {".mkv", ".webm"})
    return claimed if any({claimed, sniffed} <= family for family in families) else sniffed


MAX_PIECES = 100_000
"""Top-level pieces of a file that are looked at. A browser's MP4 of some hours has that many."""
_EBML_ID, _SEGMENT_ID = 0x1A45DFA3, 0x18538067
_VINT_BITS = 7
_MAX_VINT_BYTES = 8
_MAX_RIFF_SIZE = 0x7FFF0000
"""Recorders that can't go back to the header write 0, or something about as large as fits."""
_TOP_BOXES = _QUICKTIME_ATOMS | {
    b"moof",
    b"mfra",
    b"uuid",
    b"sidx",
    b"ssix",
    b"styp",
    b"pdin",
    b"meta",
    b"udta",
}
"""Some phones write something else behind their boxes, which has no size."""


def missing_bytes(recording: Path) -> int:
    """Return how many bytes of a recording are missing at its end, by the sizes that it holds itself.

    0 where nothing is missing, and where the container does not say.
    """
    size_bytes = recording.stat().st_size
    with recording.open("rb") as file:
        head = file.read(MIN_SNIFF_BYTES)
        if head[:4] == b"RIFF":
            ends = _riff_end(head)
        elif head[:4] == _EBML_MAGIC:
            ends = max(pieces_of_matroska(file, size_bytes), default=0)
        elif head[4:8] in _QUICKTIME_ATOMS:
            ends = max(_quicktime_ends(file, size_bytes), default=0)
        else:
            ends = 0
    return max(0, ends - size_bytes)


def _riff_end(head: bytes) -> int:
    (size,) = struct.unpack("<I", head[4:8].ljust(4, b"\0"))
    return size + 8 if 0 < size < _MAX_RIFF_SIZE else 0


def _quicktime_ends(file: BinaryIO, size_bytes: int) -> Iterator[int]:
    """Yield where each box of the top level ends."""
    begin = 0
    for _ in range(MAX_PIECES):
        file.seek(begin)
        header = file.read(16)
        if len(header) < 8 or header[4:8] not in _TOP_BOXES:
            return
        (size,) = struct.unpack(">I", header[:4])
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack(">Q", header[8:16])
        if size < 8:  # 0: to the end of the file, whatever that is
            return
        begin += size
        yield begin
        if begin >= size_bytes:
            return


def pieces_of_matroska(file: BinaryIO, size_bytes: int) -> Iterator[int]:
    """Yield where each header and segment of a Matroska file ends. One of unknown size ends it."""
    begin = 0
    for _ in range(MAX_PIECES):
        if begin >= size_bytes:
            return
        file.seek(begin)
        header = file.read(4 + _MAX_VINT_BYTES)
        if len(header) < 5 or int.from_bytes(header[:4], "big") not in (_EBML_ID, _SEGMENT_ID):
            return
        length = _MAX_VINT_BYTES + 1 - header[4].bit_length()
        value = int.from_bytes(header[4 : 4 + length], "big") & ((1 << (_VINT_BITS * length)) - 1)
        if not 1 <= length <= _MAX_VINT_BYTES or value == (1 << (_VINT_BITS * length)) - 1:
            return
        begin += 4 + length + value
        yield begin
