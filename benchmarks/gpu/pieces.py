"""Cuts what a machine without a network needs into pieces, and joins them there.

Nothing but the standard library: the machine that joins has no packages yet. A piece's name says its number,
how many there are, and the beginning of its own digest: `02-of-06-9f86d081884c7d65`.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
DIGEST_CHARS = 16
"""Of 64: it is there to notice a broken transfer, and names stay short."""
XZ_PRESET = 1
"""Higher ones take twice the time and save a tenth."""
_NAME = re.compile(r"(\d+)-of-(\d+)-([0-9a-f]{16})")


@dataclass(frozen=True)
class Piece:
    """One file of at most so many bytes."""

    path: Path
    number: int
    """From 1 on."""
    count: int
    digest: str


class PieceWriter(io.RawIOBase):
    """A file to write to that becomes pieces in a folder.

    Args:
        folder: Where the pieces lie. It is there.
        max_bytes: Size of each piece but the last. At least 1.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        super().__init__()
        self._folder, self._max_bytes = folder, max_bytes
        self._digests: list[str] = []
        self._file: BinaryIO | None = None
        self._hash, self._size_bytes = hashlib.sha256(), 0

    def writable(self) -> bool:
        """Tell that it is there to be written to."""
        return True

    def write(self, content: object) -> int:
        """Take everything, over as many pieces as it fills."""
        rest = memoryview(content).cast("B")  # type: ignore[arg-type]  # bytes and the like
        length = len(rest)
        while rest:
            part = rest[: self._max_bytes - self._size_bytes]
            self._open().write(part)
            self._hash.update(part)
            self._size_bytes += len(part)
            rest = rest[len(part) :]
            if self._size_bytes == self._max_bytes:
                self._end()
        return length

    def finish(self) -> list[Piece]:
        """Give the pieces their names, and return them in order."""
        self._end()
        count, pieces = len(self._digests), []
        for number, digest in enumerate(self._digests, 1):
            path = self._folder / f"{number:02d}-of-{count:02d}-{digest}"
            self._begun(number).rename(path)
            pieces.append(Piece(path, number, count, digest))
        return pieces

    def _begun(self, number: int) -> Path:
        return self._folder / f"{number:02d}.partial"

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = self._begun(len(self._digests) + 1).open("wb")
        return self._file

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._digests.append(self._hash.hexdigest()[:DIGEST_CHARS])
            self._file, self._hash, self._size_bytes = None, hashlib.sha256(), 0


class PieceReader(io.RawIOBase):
    """Pieces as one file to read, from its first byte to its last."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._rest = [piece.path for piece in pieces]
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        """Tell that it is there to be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill at most the buffer, and return by how much. 0 is the end."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any writable buffer
        while True:
            if self._file is None:
                if not self._rest:
                    return 0
                self._file = self._rest.pop(0).open("rb")
            content = self._file.read(len(view))
            if content:
                view[: len(content)] = content
                return len(content)
            self._file.close()
            self._file = None


def pieces_in(folder: Path) -> list[Piece]:
    """Return the pieces that lie in a folder, by number."""
    found = []
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        name = _NAME.fullmatch(path.name)
        if name:
            found.append(Piece(path, int(name[1]), int(name[2]), name[3]))
    return sorted(found, key=lambda piece: piece.number)


def put_in_place(number: int, brought: Path, folder: Path) -> list[int]:
    """Check a piece that was brought, put it where the others lie, and return the numbers still missing.

    Raises:
        ValueError: No such piece was brought, it is damaged, or it belongs to another set of pieces.
    """
    here = [piece for piece in pieces_in(brought) if piece.number == number]
    if len(here) != 1:
        raise ValueError(f"{len(here)} files in {brought} are piece {number}. Bring exactly one.")
    piece = here[0]
    if digest_of(piece.path) != piece.digest:
        raise ValueError(f"Piece {number} is damaged: its digest is not the one in its name. Bring it again.")
    folder.mkdir(parents=True, exist_ok=True)
    if any(other.count != piece.count for other in pieces_in(folder)):
        raise ValueError(f"{folder} has pieces of another set. Remove that folder and begin with piece 1.")
    for old in pieces_in(folder):
        if old.number == number:
            old.path.unlink()
    partial = folder / f"{number:02d}.partial"
    shutil.copyfile(piece.path, partial)
    partial.rename(folder / piece.path.name)
    return missing(pieces_in(folder))


def missing(pieces: Sequence[Piece]) -> list[int]:
    """Return the numbers of pieces that are not there. Without any piece: the first."""
    count = pieces[0].count if pieces else 1
    return sorted(set(range(1, count + 1)) - {piece.number for piece in pieces})


def digest_of(path: Path) -> str:
    """Return the beginning of a file's SHA-256, as pieces have it in their names."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()[:DIGEST_CHARS]


def pack(source: Path, folder: Path, max_bytes: int) -> list[Piece]:
    """Write everything in `source` into pieces, packed and compressed."""
    writer = PieceWriter(folder, max_bytes)
    with tarfile.open(fileobj=writer, mode="w:xz", preset=XZ_PRESET) as archive:
        for path in sorted(source.iterdir()):
            archive.add(path, arcname=path.name)
    return writer.finish()


def unpack(pieces: Sequence[Piece], target: Path) -> None:
    """Write what was packed into `target`, which is there only once it is whole.

    Raises:
        ValueError: A piece is missing.
        tarfile.TarError, lzma.LZMAError, EOFError: The pieces do not belong together.
    """
    if gone := missing(pieces):
        raise ValueError(f"Pieces are missing: {', '.join(map(str, gone))}. Carry them first.")
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BufferedReader(PieceReader(pieces), BLOCK_BYTES), mode="r|xz") as archive:
        archive.extractall(partial, filter="data")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def main() -> None:
    """`carry NUMBER BROUGHT FOLDER` or `unpack FOLDER TARGET`."""
    try:
        if sys.argv[1] == "carry":
            number, brought, folder = int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
            gone = put_in_place(number, brought, folder)
            print(f"Piece {number} is whole. " + (f"Missing: {gone}" if gone else "All pieces are here."))
        else:
            unpack(pieces_in(Path(sys.argv[2])), Path(sys.argv[3]))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
