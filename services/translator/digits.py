"""Reads what a row of digits with full stops and commas can mean."""

from __future__ import annotations

import zlib
from fractions import Fraction

LONGEST_DIGITS = 30
"""A longer row of digits counts nothing."""

Values = frozenset[Fraction]
"""All the readings of one number."""


def read_digits(text: str, language: str) -> Values:
    """Return what digits with full stops and commas can mean in a language.

    English groups with commas, Indonesian with full stops. A number in the other's form is read both ways,
    since speakers and models mix them. A language that is neither is read both ways as well.
    """
    if len(text) > LONGEST_DIGITS:
        return _as_characters(text)
    if text.isdecimal():
        return frozenset({Fraction(int(text))})
    grouping, decimal = (",", ".") if language == "en" else (".", ",")
    own = _read(text, grouping, decimal)
    foreign = _read(text, decimal, grouping)
    if own is None:
        return frozenset({foreign}) if foreign is not None else _as_characters(text)
    is_grouped = grouping in text and decimal not in text
    if foreign is None or (is_grouped and language in ("en", "id")):
        return frozenset({own})
    return frozenset({own, foreign})


def _read(text: str, grouping: str, decimal: str) -> Fraction | None:
    whole, point, part = text.partition(decimal)
    groups = whole.split(grouping)
    is_regular = len(groups) == 1 or (len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]))
    if not is_regular or (point and not part.isdecimal()):
        return None
    return Fraction(int("".join(groups) + part), 10 ** len(part))


def _as_characters(text: str) -> Values:
    """Return a value for what is not a quantity, such as "3.11.7": the same characters have to come back."""
    return frozenset({Fraction(2 * zlib.crc32(text.encode()) + 1, 2**40)})
