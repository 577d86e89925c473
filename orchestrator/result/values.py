"""How a value stands in the document: rounded, or absent with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.workflow import OK

Json = dict[str, Any]


def number(value: float, digits: int) -> float:
    """Round for the document. -0.0 becomes 0.0."""
    return round(value, digits) + 0.0


def number_or_zero(value: float | None, digits: int = 2) -> float:
    """Return a number where a page does arithmetic on it, whatever was measured."""
    return number(value or 0.0, digits)


def number_or_null(value: float | None, digits: int = 2) -> float | None:
    """Return a rounded number, or null."""
    return None if value is None else number(value, digits)


def optional(message: Any, field: str, digits: int) -> float | None:
    """Return a rounded field of a message, or null where it is absent."""
    return number(getattr(message, field), digits) if message.HasField(field) else None


def absent(outcome: str) -> str:
    """Return why a value is absent, where its stage as a whole went well."""
    return "INSUFFICIENT_EVIDENCE" if outcome == OK else outcome


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that there are, or None."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
