"""Tells from a recording's first bytes whether it can be decoded from the front, before its end has come.

Matroska and WebM can. So can an MP4 or MOV whose index (`moov`) stands before its samples (`mdat`), and one
that is written in fragments. Where the index stands at the end, nothing can be decoded before that has come.
"""

from __future__ import annotations

import struct

from chassis.containers import MIN_SNIFF_BYTES, sniff_extension

MAX_HEAD_BYTES = 1 << 20
"""A file that does not say it within so many bytes counts as one that can't."""


def reads_from_front(head: bytes) -> bool | None:
    """Tell whether a recording can be decoded from the front.

    Args:
        head: Its first bytes.

    Returns:
        None where more bytes are needed to tell.
    """
    if len(head) < MIN_SNIFF_BYTES:
        return None
    extension = sniff_extension(head)
    if extension in (".webm", ".mkv"):
        return True
    if extension not in (".mp4", ".mov"):
        return False
    begin = 0
    while begin + 8 <= len(head):
        size, name = struct.unpack(">I4s", head[begin : begin + 8])
        if name in (b"moov", b"mdat"):
            return bool(name == b"moov")
        if size == 1 and begin + 16 <= len(head):
            (size,) = struct.unpack(">Q", head[begin + 8 : begin + 16])
        if size < 8:
            return False
        begin += size
    return None if len(head) < MAX_HEAD_BYTES else False
