"""One recording while it arrives: written to a local file, its digest counted on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

from chassis.containers import sniff_extension, storage_extension
from gateway.uploads.forms import ReceivedFile


class Spool:
    """One file on its way to disk.

    Args:
        field: The form's field that it came in.
        name: Its name, for display.
        extension: The extension that the name claims.
        path: Where it goes.
    """

    def __init__(self, field: str, name: str, extension: str, path: Path) -> None:
        self.field = field
        self.name = name
        self.claimed_extension = extension
        self.path = path
        self.size_bytes = 0
        self.head = b""
        self._digest = hashlib.sha256()
        self._out: IO[bytes] = path.open("wb")

    def write(self, data: bytes) -> None:
        """Write bytes and count them into the digest. Blocking."""
        self._out.write(data)
        self._digest.update(data)

    def close(self) -> None:
        """Close the file."""
        self._out.close()

    def received(self) -> ReceivedFile:
        """Return it as a file that has arrived."""
        sniffed = sniff_extension(self.head) or self.claimed_extension
        extension = storage_extension(self.claimed_extension, sniffed)
        return ReceivedFile(
            self.field, self.name, extension, self.path, self.size_bytes, self._digest.hexdigest()
        )
