"""Text from clients, so that every process behind the gateway can hold it."""

from __future__ import annotations

import unicodedata
from typing import Any


def encodable(text: str) -> str:
    r"""Return text that has a UTF-8 form.

    JavaScript cuts strings in the middle of a character (`substring`). JSON can carry the half (`"\ud83d"`).
    Two halves side by side become their character. A half without the other becomes U+FFFD.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def encodable_json(value: Any) -> Any:
    """Return a JSON value whose every text has a UTF-8 form. See `encodable`.

    Raises:
        RecursionError: It is nested too deeply.
    """
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [encodable_json(item) for item in value]
    if isinstance(value, dict):
        return {encodable(key): encodable_json(item) for key, item in value.items()}
    return value


def single_line(text: str) -> str:
    """Return text without control and format characters (line breaks, direction marks), trimmed."""
    return "".join(char for char in text if not unicodedata.category(char).startswith("C")).strip()


def single_spaced(text: str) -> str:
    """Return text without control characters, each run of white space as one space, trimmed."""
    return " ".join(
        "".join(char for char in text if char.isspace() or unicodedata.category(char) != "Cc").split()
    )
