"""File names from clients: shown, never used. The store sees only an extension from a fixed list."""

from __future__ import annotations

import unicodedata

from chassis.containers import ALLOWED_EXTENSIONS
from chassis.errors import InvalidInputError

MAX_DISPLAY_LENGTH = 255
"""What file systems allow; a longer name is cut at its front, which keeps the extension."""


def display_name(name: str) -> str:
    """Return a client's file name without folders and control characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return single_line(base)[-MAX_DISPLAY_LENGTH:]


def single_line(text: str) -> str:
    """Return text without control and format characters (line breaks, direction marks), trimmed."""
    return "".join(char for char in text if not unicodedata.category(char).startswith("C")).strip()


def check_extension(name: str) -> str:
    """Return a name's extension in lower case.

    Raises:
        InvalidInputError: It is not one of a video that we read.
    """
    stem, dot, tail = name.rpartition(".")
    extension = f".{tail.lower()}" if dot and stem else ""
    if extension not in ALLOWED_EXTENSIONS:
        shown = extension[:16] or "none"
        raise InvalidInputError(
            f"Invalid file type: {shown}. Allowed: {', '.join(ALLOWED_EXTENSIONS)}",
            reason="FILE_TYPE_INVALID",
        )
    return extension
