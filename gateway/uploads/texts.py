"""Texts and names from clients, so that every process behind the gateway can hold them.

File names are shown, never used. The store sees only an extension from a fixed list.
"""

from __future__ import annotations

import unicodedata
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from python_multipart.multipart import parse_options_header

from chassis.containers import ALLOWED_EXTENSIONS
from chassis.errors import InvalidInputError
from chassis.limits import MAX_NAME_CHARACTERS
from chassis.texts import encodable


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


def part_parameter(disposition: bytes, name: str) -> str | None:
    """Return a parameter of a form part's `Content-Disposition`, such as `filename`, or None.

    Three forms are understood. Browsers send bytes of UTF-8 (RFC 7578 §4.2). Mail libraries send encoded
    words (RFC 2047). Some HTTP libraries send nothing but `filename*=UTF-8''…` (RFC 8187), which RFC 7578
    forbids in forms. Where the plain one is there as well, the plain one counts.
    """
    _, plain = parse_options_header(disposition)
    if (value := plain.get(name.encode())) is not None:
        return _decoded_words(value.decode("utf-8", "replace"))
    return _extended(disposition, name)


def _decoded_words(text: str) -> str:
    if not (text.startswith("=?") and text.endswith("?=")):
        return text
    try:
        return encodable(str(make_header(decode_header(text))))
    except (ValueError, LookupError):  # no such encoding or alphabet: it is a name of another kind
        return text


def _extended(disposition: bytes, name: str) -> str | None:
    message = Message()
    message["Content-Disposition"] = disposition.decode("latin-1")
    try:
        value = message.get_param(name, header="content-disposition")
        return None if value is None else encodable(collapse_rfc2231_value(value))
    except (ValueError, LookupError, TypeError):  # `email` stumbles over some numbered and cut-off parts
        return None


def display_name(name: str) -> str:
    """Return a client's file name without folders and control characters.

    A name that is too long is cut at its front, which keeps the extension.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return single_line(base)[-MAX_NAME_CHARACTERS:]


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
            f"Invalid file type: {shown}. Allowed: {', '.join(ALLOWED_EXTENSIONS)}."
            " Export the recording as one of them.",
            reason="FILE_TYPE_INVALID",
        )
    return extension
