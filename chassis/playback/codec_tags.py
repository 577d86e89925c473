"""What a file itself calls the codecs of its tracks, for those that FFmpeg has no decoder and no name for."""

from __future__ import annotations

import re
from pathlib import Path

INDEX_BYTES = 8 << 20
"""An index is looked for in so much of a file's beginning, and of its end."""
_SAMPLE_ENTRY = re.compile(rb"stsd\0\0\0\0\0\0\0.....([ -~]{4})", re.DOTALL)
"""ISO/IEC 14496-12, 8.5.2: version and flags, the number of entries, the first entry's size and its type."""
_CODEC_ID = re.compile(rb"\x86[\x82-\xbf]([AVS]_[A-Z0-9_/.]+)")
"""RFC 9559, 5.1.4.1.21: the element 0x86, its length, and a name such as `V_MPEG4/ISO/AVC`."""


def codec_tags(recording: Path) -> list[str]:
    """Return the tracks' codecs in the file's order, as an MP4 or a Matroska file names them.

    Empty where the container is another one. They are hints for a message and prove nothing.
    """
    with recording.open("rb") as file:
        parts = [file.read(INDEX_BYTES)]
        if (rest := recording.stat().st_size - INDEX_BYTES) > 0:
            file.seek(-min(rest, INDEX_BYTES), 2)
            parts.append(file.read())
    pattern = _SAMPLE_ENTRY if parts[0][4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") else _CODEC_ID
    for part in parts:
        if found := [match.group(1).decode("ascii").strip() for match in pattern.finditer(part)]:
            return found
    return []
