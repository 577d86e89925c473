"""Whose sessions a call may see. It travels as metadata of the call, so no method can forget to say it."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from urllib.parse import quote, unquote

GROUP_KEY = "interview-group"
"""Metadata of a call: names of groups, each percent-encoded, with commas between them. An empty name stands
for sessions without an owner. Without this metadata a caller may see every session."""

caller_groups: ContextVar[frozenset[str] | None] = ContextVar("caller_groups", default=None)
"""The groups of the call that is being served. None: all."""


def encode_groups(groups: Iterable[str]) -> str:
    """Return groups as the metadata's value, which is ASCII whatever the names are."""
    return ",".join(quote(group, safe="") for group in sorted(groups))


def decode_groups(value: object) -> frozenset[str] | None:
    """Read the metadata's value. None, which is no metadata, means all groups."""
    if value is None:
        return None
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return frozenset(unquote(group) for group in text.split(","))
