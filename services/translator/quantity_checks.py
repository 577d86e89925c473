"""Tells whether a translation counts what its original counts: the same numbers, times, units and currencies.

Each may be written in another way. Only what no way of writing explains is a fault.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from services.translator.quantities import (
    PLAIN_WORDS,
    Quantities,
    Quantity,
    Span,
    is_same_length,
    read_quantities,
)
from services.translator.vocabulary import LANGUAGES

T = TypeVar("T")

SPELLED_OUT = 2
"""So many number words that nothing answers may together be one number: "zero eight one two"."""
LARGEST_SPELLED = 12
"""Languages spell small numbers out. Where their words are unknown, only larger ones are missed."""
THOUSAND = 1000
"""Languages count thousands in their own ways (10,000 is one "wan" in Chinese)."""


def quantity_fault(source: str, translation: str, source_language: str, target_language: str) -> str | None:
    """Say what a translation counts otherwise than its original. None where nothing certain is.

    Args:
        source: The original text.
        translation: What a model says it means.
        source_language: Language of the original, without region.
        target_language: Language of the translation, without region.
    """
    said, meant = read_quantities(source, source_language), read_quantities(translation, target_language)
    if _missing(said.numbers, meant.numbers, target_language):
        return "a number of the original is missing"
    if {source_language, target_language} <= LANGUAGES:
        return _added_or_changed(said, meant)
    return None


def _added_or_changed(said: Quantities, meant: Quantities) -> str | None:
    if _added(said.numbers, meant.numbers):
        return "it has a number that the original lacks"
    if _is_spelled_otherwise(said.numbers, meant.numbers):
        return "a number of the original is missing"
    if _spans_differ(said.spans, meant.spans):
        return "a span of time differs from the original"
    if _differ(said.currencies, meant.currencies):
        return "it is in another currency"
    if _differ(said.months, meant.months) or _differ(said.weekdays, meant.weekdays):
        return "a month or a day of the week differs from the original"
    return None


def _without_answer(numbers: Sequence[Quantity], others: Sequence[Quantity]) -> list[Quantity]:
    readings = {reading for other in others for reading in other.readings}
    known = readings | {reading for other in others for reading in other.weak}
    lengths, other_lengths = _lengths(numbers), _lengths(others)
    return [
        number
        for number in numbers
        if not (
            number.readings & known
            or number.weak & readings
            or (number.span is not None and _is_spanned(number.span, lengths, other_lengths))
        )
    ]


def _lengths(quantities: Sequence[Quantity]) -> list[float]:
    """Return the lengths of the counted spans of time in days."""
    spans = [quantity.span for quantity in quantities if quantity.span is not None]
    return [span.count * span.unit_days for span in spans if span.count is not None]


def _is_spanned(span: Span, lengths: Sequence[float], other_lengths: Sequence[float]) -> bool:
    """Tell whether a span is there in another unit or in parts: 90 minutes, an hour and 30 minutes."""
    if span.count is None:
        return False
    length = span.count * span.unit_days
    return any(is_same_length(length, other) for other in (*other_lengths, sum(other_lengths))) or any(
        is_same_length(sum(lengths), other) for other in other_lengths
    )


def _missing(said: Sequence[Quantity], meant: Sequence[Quantity], target_language: str) -> bool:
    missing = _without_answer([number for number in said if number.in_digits], meant)
    return any(target_language in LANGUAGES or _is_never_spelled(number) for number in missing)


def _is_never_spelled(number: Quantity) -> bool:
    return _is_large(number) and all(value % THOUSAND != 0 for _, value in number.readings)


def _is_large(number: Quantity) -> bool:
    return all(value > LARGEST_SPELLED for _, value in number.readings)


def _added(said: Sequence[Quantity], meant: Sequence[Quantity]) -> bool:
    added = _without_answer([number for number in meant if number.in_digits], said)
    return bool(added) and len(_unexplained_words(said, meant)) < SPELLED_OUT


def _unexplained_words(said: Sequence[Quantity], meant: Sequence[Quantity]) -> list[Quantity]:
    """Return the numbers that the original spells and nothing answers."""
    spelled = [number for number in said if not number.in_digits and not number.is_loose]
    return [
        number
        for number in _without_answer(spelled, meant)
        if not {value for _, value in number.readings} & PLAIN_WORDS
    ]


def _is_spelled_otherwise(said: Sequence[Quantity], meant: Sequence[Quantity]) -> bool:
    """Tell whether each side spells one large number, and another one."""
    left, right = _unexplained_words(said, meant), _unexplained_words(meant, said)
    return len(left) == len(right) == 1 and all(_is_large(number) for number in left + right)


def _spans_differ(said: Sequence[Span], meant: Sequence[Span]) -> bool:
    left = [span for span in said if span.is_certain and not any(span.is_same(other) for other in meant)]
    right = [span for span in meant if span.is_certain and not any(span.is_same(other) for other in said)]
    if not left or not right:
        return False  # "one day" is "suatu saat", too.
    counts = [(span.count, span.unit_days) for span in (*left, *right)]
    if any(count is None for count, _ in counts):
        return True
    return not is_same_length(_days(left), _days(right))


def _days(spans: Sequence[Span]) -> float:
    return sum((span.count or 0.0) * span.unit_days for span in spans)


def _differ(said: Collection[T], meant: Collection[T]) -> bool:
    """Tell whether each side has what the other lacks."""
    return bool(set(said) - set(meant)) and bool(set(meant) - set(said))
