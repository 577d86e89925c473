"""Which recordings can be read from the front while they still grow, and what reads them."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from chassis.containers import MIN_SNIFF_BYTES
from chassis.decoding.claims import ClaimsGate, is_quicktime
from chassis.growing import POLL_S, Beat, FrontReader, is_growing, wait_for_bytes, wait_until_whole

_MATROSKA = b"\x1a\x45\xdf\xa3"
_TS_PACKET_BYTES, _TS_SYNC = 188, 0x47


def front_reader(recording: Path, beat: Beat) -> FrontReader | None:
    """Return what reads a growing recording from the front. None where it is whole, waited for if need be.

    Read from the front are WebM and Matroska, WAV, MPEG-TS, and MP4 with its index first. In what other
    containers mean, their end has a say.

    Args:
        recording: The file.
        beat: Called while there is nothing new.

    Raises:
        InvalidInputError: It claims more than any recording has (`MEDIA_TOO_COMPLEX`).
    """
    wait_for_bytes(recording, _TS_PACKET_BYTES + 1, beat)
    if not is_growing(recording):
        return None
    with recording.open("rb") as file:
        head = file.read(_TS_PACKET_BYTES + 1)
        if is_quicktime(file):
            if not _index_is_last(recording, beat):
                return FrontReader(recording, beat, ClaimsGate(recording))
        elif _is_read_from_the_front(head):
            return FrontReader(recording, beat)
    wait_until_whole(recording, beat)
    return None


def _is_read_from_the_front(head: bytes) -> bool:
    wav = head[:4] == b"RIFF" and head[8:MIN_SNIFF_BYTES] == b"WAVE"
    transport_stream = head[0] == head[_TS_PACKET_BYTES] == _TS_SYNC
    return wav or transport_stream or head.startswith(_MATROSKA)


def _index_is_last(recording: Path, beat: Beat) -> bool:
    """Wait until it is known. What is whole before that counts as such."""
    with contextlib.closing(ClaimsGate(recording)) as gate:
        while gate.index_is_last is None and is_growing(recording):
            gate(recording.stat().st_size, False)
            beat()
            time.sleep(POLL_S)
        return gate.index_is_last is not False
