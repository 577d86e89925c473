"""Session identifiers: 32 lower-case hex digits. Dashed UUIDs are understood as well."""

from __future__ import annotations

import hashlib
import re
import uuid

from chassis.errors import InvalidInputError

_HEX = re.compile(r"[0-9a-fA-F]{32}")
_DASHED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def new_session_id() -> str:
    """Return an identifier that nobody can guess."""
    return uuid.uuid4().hex


def session_id_for_key(client: str, idempotency_key: str) -> str:
    """Return the identifier that belongs to a client's idempotency key, always the same one."""
    return hashlib.sha256(f"{client}\0{idempotency_key}".encode()).hexdigest()[:32]


def parse_session_id(text: str) -> str:
    """Return the 32-digit form of an identifier from a URL.

    Raises:
        InvalidInputError: It is neither 32 hex digits nor a dashed UUID.
    """
    if _HEX.fullmatch(text) or _DASHED.fullmatch(text):
        return text.replace("-", "").lower()
    raise InvalidInputError(
        "Invalid session ID format. Use the session_id that the upload returned.", reason="SESSION_ID_INVALID"
    )
