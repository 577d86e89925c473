"""Tells video containers by their first bytes. A name's extension is a hint, never proof."""

from __future__ import annotations

SNIFF_BYTES = 64
"""Enough for every signature below; EBML's DocType stands within its first 40 bytes or so."""
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
"""Atoms that a file of the MP4 family begins with; QuickTime of before 2001 has no `ftyp`."""
_EBML_MAGIC = b"\x1a\x45\xdf\xa3"


def sniff_extension(head: bytes) -> str | None:
    """Return the extension that the first bytes of a file call for, or None where they are no video's.

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
