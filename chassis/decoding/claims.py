"""What a recording claims about itself, checked before anything is allocated for it.

FFmpeg keeps an entry for every sample that a file claims to have, and an MP4 of 2 kB can claim hundreds of
millions. So the claims are counted first, from the boxes alone, and must fit into the reader's memory
(`claim_limits`). Once a file is open, the claims of its tracks are looked at before a decoder is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from chassis.decoding.claim_limits import max_entry_count
from chassis.errors import InvalidInputError

MAX_BOX_COUNT = 1_000_000
"""Boxes of one file. A browser that writes a piece every tenth of a second makes 400,000 an hour."""
MAX_BOX_DEPTH = 8
LOOKED_AT_EDITS = 16
"""Of a track. Pauses among more edits are counted as if they had pieces."""
MAX_TRACK_COUNT = 64
MAX_SAMPLE_RATE_HZ = 768_000
MAX_CHANNEL_COUNT = 64
MAX_SIDE_PX = 16_384
MAX_PIXEL_COUNT = 7680 * 4320
_HOLDERS = frozenset(
    {
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"edts",
        b"moof",
        b"traf",
        b"udta",
        b"mvex",
        b"dinf",
        b"tref",
    }
)
_SOUND_PIECE_SAMPLES = 1_024
"""Plain PCM is kept in pieces of this length, not by the sample."""


_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot"})
_Box = tuple[bytes, int, int]
"""Its name, where what it holds begins, and where it ends."""


@dataclass
class _Track:
    """What one track of an MP4 claims."""

    sample_count: int = 0
    edit_count: int = 1
    is_sound: bool = False
    is_by_the_sample: bool = False

    @property
    def entry_count(self) -> int:
        plain = self.is_sound and self.is_by_the_sample
        return (self.sample_count // _SOUND_PIECE_SAMPLES if plain else self.sample_count) * self.edit_count


def check_file_claims(recording: Path) -> None:
    """Check what a file claims, before a reader is opened on it. Other containers than MP4 claim nothing.

    Raises:
        InvalidInputError: It claims more than fits into this process's memory (`MEDIA_TOO_COMPLEX`).
    """
    with recording.open("rb") as file:
        if claimed_sample_count(file, recording.stat().st_size) > max_entry_count():
            raise too_many_pieces()


def claimed_sample_count(file: BinaryIO, size_bytes: int) -> int:
    """Return how many entries a reader keeps for an MP4, by the claims of its boxes. 0 for another file.

    Raises:
        InvalidInputError: It has more boxes or tracks than a recording has (`MEDIA_TOO_COMPLEX`).
    """
    if not is_quicktime(file):
        return 0
    claims = _Claims(file)
    claims.count(_boxes(file, 0, size_bytes, 0))
    return claims.sample_count


def is_quicktime(file: BinaryIO) -> bool:
    """Tell whether a file's first box is one of the MP4 family."""
    file.seek(4)
    return file.read(4) in _FIRST_BOXES


class _Claims:
    """What the boxes of an MP4 claim so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._tracks: list[_Track] = []
        self._fragment_count = self._box_count = 0

    @property
    def sample_count(self) -> int:
        return self._fragment_count + sum(track.entry_count for track in self._tracks)

    def count(self, boxes: Iterable[_Box]) -> None:
        for name, begin, end in boxes:
            self._box_count += 1
            if self._box_count > MAX_BOX_COUNT:
                raise _too_complex("has more parts than a recording has")
            if name == b"trak":
                self._tracks.append(_Track())
                if len(self._tracks) > MAX_TRACK_COUNT:
                    raise _too_complex("has too many tracks")
            elif name == b"trun":
                self._fragment_count += _number(self._file, begin + 4, end)
            elif self._tracks:
                _note(self._tracks[-1], name, self._file, begin, end)


class ClaimsGate:
    """Counts the claims of an MP4 that still grows, before a reader gets the boxes that make them.

    Args:
        recording: The file.
    """

    def __init__(self, recording: Path) -> None:
        self._file = recording.open("rb")
        self._claims = _Claims(self._file)
        self._next_box = 0
        self.index_is_last: bool | None = None
        """Whether sound and picture come before what says where they lie. None: not known yet."""

    def __call__(self, size_bytes: int, whole: bool) -> int:
        """Return how many bytes of the file a reader may have.

        Args:
            size_bytes: How many there are.
            whole: Whether no more will come.

        Raises:
            InvalidInputError: The boxes claim more than fits into our memory (`MEDIA_TOO_COMPLEX`).
        """
        while (box := box_at(self._file, self._next_box, size_bytes)) is not None:
            name, body, end = box
            if self.index_is_last is None and name in (b"moov", b"mdat", b"moof"):
                self.index_is_last = name != b"moov"
            if end >= size_bytes and not whole:  # also one without a size, which goes on to the file's end
                return size_bytes if name == b"mdat" else self._next_box
            self._claims.count([(name, body, end)])
            if name in _HOLDERS:
                self._claims.count(_boxes(self._file, body, min(end, size_bytes), 1))
            if self._claims.sample_count > max_entry_count():
                raise too_many_pieces()
            self._next_box = end
            if end >= size_bytes:
                break
        return size_bytes if whole else min(self._next_box, size_bytes)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _note(track: _Track, name: bytes, file: BinaryIO, begin: int, end: int) -> None:
    if name in (b"stsz", b"stz2"):
        track.sample_count += _number(file, begin + 8, end)
    elif name == b"elst":
        track.edit_count = max(1, _edit_count(file, begin, end))
    elif name == b"hdlr":
        file.seek(begin + 8)
        track.is_sound = file.read(4) == b"soun"
    elif name == b"stts":
        track.is_by_the_sample = (_number(file, begin + 4, end), _number(file, begin + 12, end)) == (1, 1)


def _edit_count(file: BinaryIO, begin: int, end: int) -> int:
    """Return how many edits show something. Many files begin with one that is a pause, and has no pieces."""
    count = _number(file, begin + 4, end)
    entry_bytes, at, width = (20, 16, 8) if _number(file, begin, end) >> 24 == 1 else (12, 12, 4)
    pause_count = 0
    for place in range(
        begin + at, min(end, begin + at + entry_bytes * min(count, LOOKED_AT_EDITS)), entry_bytes
    ):
        file.seek(place)
        pause_count += file.read(width) == b"\xff" * width
    return count - pause_count


def box_at(file: BinaryIO, begin: int, size_bytes: int) -> _Box | None:
    """Return the name of a box, where what it holds begins, and where it ends by its own word.

    None where its head is not there, or is none.

    Args:
        file: The file.
        begin: Where the box begins.
        size_bytes: How many bytes of the file there are: a box without a size goes on to its end.
    """
    if begin + 8 > size_bytes:
        return None
    file.seek(begin)
    header = file.read(16)
    if len(header) < 8:
        return None
    size, name, body = *struct.unpack(">I4s", header[:8]), begin + 8
    if size == 1 and len(header) == 16:
        (size,) = struct.unpack(">Q", header[8:])
        body = begin + 16
    elif size == 0:
        size = size_bytes - begin
    return (name, body, begin + size) if size >= body - begin else None


def _boxes(file: BinaryIO, begin: int, end: int, depth: int) -> Iterator[_Box]:
    """Yield the name of each box, where what it holds begins, and where it ends."""
    while (box := box_at(file, begin, end)) is not None:
        name, body, begin = box
        yield name, body, min(begin, end)
        if name in _HOLDERS and depth < MAX_BOX_DEPTH:
            yield from _boxes(file, body, min(begin, end), depth + 1)


def _number(file: BinaryIO, at: int, end: int) -> int:
    if at + 4 > end:
        return 0
    file.seek(at)
    return int.from_bytes(file.read(4), "big")


def check_track_claims(
    streams: Sequence[Any],
    *,
    max_track_count: int = MAX_TRACK_COUNT,
    max_pixel_count: int = MAX_PIXEL_COUNT,
) -> None:
    """Check what the tracks of an open file claim, before a decoder is opened on one.

    Args:
        streams: PyAV's streams.
        max_track_count: Tracks of a file, of every kind.
        max_pixel_count: Pixels of a picture.

    Raises:
        InvalidInputError: A track claims more than is allowed (`MEDIA_TOO_COMPLEX`).
    """
    if len(streams) > max_track_count:
        raise _too_complex("has too many tracks")
    for stream in streams:
        context = stream.codec_context
        if context is None:
            continue
        if stream.type == "video":
            _check_picture(context, max_pixel_count)
        elif stream.type == "audio":
            _check_sound(context)


def _check_picture(context: Any, max_pixel_count: int) -> None:
    width, height = context.width, context.height
    if width * height > max_pixel_count:
        raise InvalidInputError(
            f"The picture has more than {max_pixel_count:,} pixels. Scale it down.",
            reason="MEDIA_TOO_COMPLEX",
        )
    if max(width, height) > MAX_SIDE_PX:
        raise InvalidInputError(
            f"A side of the picture has more than {MAX_SIDE_PX:,} pixels. Scale it down.",
            reason="MEDIA_TOO_COMPLEX",
        )


def _check_sound(context: Any) -> None:
    if (context.sample_rate or 0) > MAX_SAMPLE_RATE_HZ:
        raise _too_complex(f"claims a sampling rate above {MAX_SAMPLE_RATE_HZ:,} Hz")
    if context.layout is not None and context.layout.nb_channels > MAX_CHANNEL_COUNT:
        raise _too_complex(f"claims more than {MAX_CHANNEL_COUNT} sound channels")


def too_many_pieces() -> InvalidInputError:
    """Return the error for a file that claims more pieces of sound and picture than fit into memory."""
    return _too_complex("claims to have more pieces of sound and picture than there is memory for")


def _too_complex(what: str) -> InvalidInputError:
    return InvalidInputError(f"The recording {what}. Send a plain one.", reason="MEDIA_TOO_COMPLEX")
