"""Whether a recording can be decoded from the front, by its first bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from chassis.reading_order import MAX_HEAD_BYTES, reads_from_front
from tests.fakes.recording import make_recording


def box(name: bytes, size: int, content_bytes: int = 0) -> bytes:
    return struct.pack(">I4s", size, name) + bytes(content_bytes)


FTYP = box(b"ftyp", 16, 8)
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (FTYP + box(b"moov", 500, 20), True),
        (FTYP + box(b"free", 16, 8) + box(b"moov", 500), True),
        (FTYP + box(b"mdat", 1_000_000), False),
        (FTYP + box(b"wide", 8) + box(b"mdat", 1), False),
        (FTYP + box(b"free", 100, 20), None),
        (FTYP + box(b"free", 1) + struct.pack(">Q", 20) + bytes(4) + box(b"moov", 9), True),
        (FTYP + box(b"free", 4), False),
        (FTYP[:11], None),
        (WEBM + bytes(20), True),
        (b"RIFF" + bytes(4) + b"AVI LIST", False),
        (b"no recording at all", False),
        (FTYP + box(b"free", 1 << 30, MAX_HEAD_BYTES), False),
    ],
)
def test_the_first_boxes_tell(head: bytes, expected: bool | None) -> None:
    assert reads_from_front(head) is expected


def test_recordings_that_were_written_tell_it_as_well(tmp_path: Path) -> None:
    last = make_recording(tmp_path / "last.mp4", seconds=0.5)
    first = make_recording(tmp_path / "first.mp4", seconds=0.5, index_first=True)
    webm = make_recording(tmp_path / "a.webm", seconds=0.5, codecs=("libvpx", "libopus"))

    assert [reads_from_front(path.read_bytes()) for path in (last, first, webm)] == [False, True, True]
