"""A recording on its way from a link into a local file."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from chassis.containers import SNIFF_BYTES, sniff_extension

WRITTEN_AT_ONCE_BYTES = 256 << 10
"""A server may send byte by byte. Each write costs a change of threads."""
STRONG_AFTER = timedelta(seconds=60)
"""A file that changed twice within a second has one date for two contents (RFC 9110, 8.8.2.2)."""
MAX_LENGTH_DIGITS = 15
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")


class ReceivedFile:
    """Takes the bytes of a recording, and knows how to ask for the rest of it.

    Args:
        path: Where they go.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        """Bytes received so far."""
        self.total_bytes: int | None = None
        """None where the server does not say."""
        self._validator = ""
        self.begin_again()

    def begin_again(self) -> None:
        """Forget what came so far."""
        self.size_bytes, self.total_bytes, self._validator = 0, None, ""
        self._head = b""
        self._digest: Any = hashlib.sha256()
        self._waiting = bytearray()
        self.path.write_bytes(b"")

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hexadecimal."""
        return str(self._digest.hexdigest())

    @property
    def has_head(self) -> bool:
        """Whether enough came to tell what it is."""
        return len(self._head) >= SNIFF_BYTES

    @property
    def extension(self) -> str | None:
        """The file extension that the first bytes call for. None where they are not a video's."""
        return sniff_extension(self._head)

    @property
    def range_headers(self) -> Mapping[str, str]:
        """Headers that ask for the rest only. Empty where a server can't tell if it is the same file."""
        if not self.size_bytes or not self._validator:
            return {}
        return {"Range": f"bytes={self.size_bytes}-", "If-Range": self._validator}

    def expect(self, headers: Mapping[str, str], *, is_rest: bool) -> bool:
        """Get ready for a reply's body.

        Args:
            headers: The reply's.
            is_rest: Whether it says that it is a part only (status 206).

        Returns:
            False where it is not the part that is missing. Then the file is empty again.
        """
        if not is_rest:
            self.begin_again()
            self.total_bytes = _length(headers)
        elif not self._goes_on(headers):
            self.begin_again()
            return False
        self._validator = _validator(headers) or self._validator
        return True

    def _goes_on(self, headers: Mapping[str, str]) -> bool:
        found = _RANGE.fullmatch(headers.get("content-range", "").strip())
        if found is None or int(found[1]) != self.size_bytes:
            return False
        total_bytes = int(found[3]) if found[3] != "*" else self.total_bytes
        if self.total_bytes is not None and total_bytes != self.total_bytes:
            return False
        etag = headers.get("etag", "")
        if etag and self._validator.startswith('"') and etag != self._validator:
            return False  # It was changed meanwhile, and its server does not know If-Range.
        self.total_bytes = total_bytes
        return True

    async def add(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: They can't be written.
        """
        self.size_bytes += len(chunk)
        self._head += chunk[: SNIFF_BYTES - len(self._head)]
        self._waiting += chunk
        if len(self._waiting) >= WRITTEN_AT_ONCE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            OSError: It can't be written.
        """
        waiting, self._waiting = self._waiting, bytearray()
        if waiting:
            await asyncio.to_thread(self._write, waiting)

    def _write(self, content: bytearray) -> None:
        with self.path.open("ab") as out:
            out.write(content)
        self._digest.update(content)


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) <= MAX_LENGTH_DIGITS else None


def _validator(headers: Mapping[str, str]) -> str:
    """Return what names this very content for `If-Range`. Empty where nothing does."""
    etag = headers.get("etag", "")
    if etag:
        return "" if etag.startswith("W/") else etag
    try:
        changed = parsedate_to_datetime(headers.get("last-modified", ""))
        now = parsedate_to_datetime(headers.get("date", ""))
        return headers["last-modified"] if now - changed >= STRONG_AFTER else ""
    except (TypeError, ValueError):
        return ""
