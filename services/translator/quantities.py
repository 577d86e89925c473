"""Finds what a text counts: numbers, times of day, dates, spans of time, currencies, days and months."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from services.translator.moments import clock_of, named_times, read_dates
from services.translator.numerals import Number, Token, read_numbers, tokens_of
from services.translator.vocabulary import CURRENCIES, Unit, Vocabulary, vocabulary_of

SAME_SPAN_RATIO = 0.02
"""A month is 30 or 31 days, a year 52 weeks."""
PLAIN_WORDS = frozenset({Fraction(0), Fraction(1)})
"""Numbers whose words ("no", "a", "one") seldom count anything."""

YEAR_WORDS = frozenset({"'", "’", "‘", "tahun", "angkatan"})

Reading = tuple[str, Fraction]
"""What a number means: its kind (`number`, `minute` of the day, `month`) and its value."""


@dataclass(frozen=True)
class Span:
    """A span of time: a unit, and how many of it where the text says so."""

    unit_days: float
    count: float | None
    is_certain: bool
    """Whether the text surely speaks of a span: "minggu" alone is a week, or Sunday."""

    def is_same(self, other: Span) -> bool:
        """Tell whether both can be of the same length."""
        if self.count is None or other.count is None:
            return self.unit_days == other.unit_days
        return is_same_length(self.count * self.unit_days, other.count * other.unit_days)


@dataclass(frozen=True)
class Quantity:
    """A number of a text with all of its readings."""

    readings: frozenset[Reading]
    weak: frozenset[Reading] = frozenset()
    """Readings that only a plain number may answer: "3 pm" is 3, but not the 3 of "3 am"."""
    in_digits: bool = False
    is_loose: bool = False
    """A word that need not count anything, such as "a" or "no"."""
    span: Span | None = None
    """The span of time that it counts."""


@dataclass
class Quantities:
    """All that a text counts."""

    numbers: list[Quantity] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    months: set[int] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)


def is_same_length(days: float, other_days: float) -> bool:
    """Tell whether two spans are equal as people count months and years."""
    return abs(days - other_days) <= SAME_SPAN_RATIO * max(days, other_days)


def read_quantities(text: str, language: str) -> Quantities:
    """Find what a text counts.

    Args:
        text: The text.
        language: Its language, without region. Words are known for English and Indonesian only.
    """
    words = vocabulary_of(language)
    found = Quantities()
    dates, rest = read_dates(text)
    for date in dates:
        found.numbers += [
            _quantity("number", date.days | date.months, in_digits=True),
            _quantity("number", date.years, in_digits=True),
            Quantity(_readings("month", date.months) | _readings("number", date.months), in_digits=True),
        ]
        found.months |= date.months
    tokens = tokens_of(rest)
    numbers = read_numbers(tokens, words, language)
    spans = _spans(tokens, numbers, words)
    found.spans = [span for span, _ in spans]
    counted = {number: span for span, number in spans if number is not None}
    found.numbers += _numbers(tokens, numbers, counted, words)
    found.numbers += [
        Quantity(frozenset(), is_loose=True, span=span) for span, number in spans if number is None
    ]
    found.currencies = {CURRENCIES[token.text] for token in tokens if token.text in CURRENCIES}
    _read_calendar(rest, tokens, words, found)
    return found


def without_quantities(text: str, language: str) -> str:
    """Return a text without numbers, units of time and currencies, which are longer in words than in digits.

    Args:
        text: The text.
        language: Its language, without region.
    """
    words = vocabulary_of(language)
    _, rest = read_dates(text)
    tokens = tokens_of(rest)
    numbers = read_numbers(tokens, words, language)
    counted = {position for number in numbers for position in range(number.first, number.end)}
    known = words.units.keys() | words.percent | CURRENCIES.keys()
    kept, end = [], 0
    for position, token in enumerate(tokens):
        if position in counted or token.text in known:
            kept.append(rest[end : token.start])
            end = token.end
    return " ".join("".join((*kept, rest[end:])).split())


def _readings(kind: str, values: frozenset[int] | frozenset[Fraction]) -> frozenset[Reading]:
    return frozenset((kind, Fraction(value)) for value in values)


def _quantity(
    kind: str, values: frozenset[int] | frozenset[Fraction], *, in_digits: bool = False
) -> Quantity:
    return Quantity(_readings(kind, values), in_digits=in_digits)


def _numbers(
    tokens: Sequence[Token], numbers: Sequence[Number], counted: Mapping[Number, Span], words: Vocabulary
) -> list[Quantity]:
    quantities: list[Quantity] = []
    after_clock = 0
    for number in numbers:
        if number.first < after_clock:
            continue  # the minutes of a time of day
        plain = _readings("number", number.values)
        if _is_name(tokens, number):
            quantities.append(Quantity(plain, is_loose=True))
            continue
        if _is_short_year(tokens, number):
            plain |= {("number", century + value) for value in number.values for century in (1900, 2000)}
        clock = clock_of(tokens, number, words)
        if clock is None:
            quantities.append(Quantity(plain, in_digits=number.in_digits, span=counted.get(number)))
            continue
        after_clock = clock.end
        minutes = _readings("minute", clock.minutes)
        weak = frozenset({("number", clock.hour)})
        readings = minutes if clock.is_certain else minutes | plain
        quantities.append(Quantity(readings, weak, number.in_digits))
    quantities += [
        Quantity(frozenset({("number", Fraction(words.loose[token.text]))}), is_loose=True)
        for token in tokens
        if token.text in words.loose
    ]
    quantities += [
        Quantity(frozenset({("minute", Fraction(minute))}), is_loose=True) for minute in named_times(tokens)
    ]
    return quantities + _years(numbers)


def _is_name(tokens: Sequence[Token], number: Number) -> bool:
    """Tell whether a number belongs to a name: "S1" is a bachelor's degree, "MP3" a kind of file."""
    before = [token for token in tokens[max(0, number.first - 2) : number.first] if number.in_digits]
    if not before or before[-1].end != tokens[number.first].start:
        return False
    if before[-1].text == "-" and len(before) > 1:
        return len(before[0].text) == 1 and before[0].text.isalpha() and before[0].end == before[-1].start
    return before[-1].text.isalpha() and before[-1].text not in CURRENCIES


def _is_short_year(tokens: Sequence[Token], number: Number) -> bool:
    """Tell whether a number is a year of two digits: "'98", "tahun 98"."""
    before = tokens[number.first - 1].text if number.first else ""
    return number.in_digits and before in YEAR_WORDS and len(tokens[number.first].text) == 2


def _years(numbers: Sequence[Number]) -> list[Quantity]:
    """Read "nineteen ninety-eight" as the year that it is."""
    years = []
    for first, second in itertools.pairwise(numbers):
        if first.in_digits or second.in_digits or first.end != second.first:
            continue
        hundreds, rest = min(first.values), min(second.values)
        if 10 <= hundreds <= 20 and rest < 100:
            year = Quantity(frozenset({("number", 100 * hundreds + rest)}), is_loose=True)
            years.append(year)
    return years


def _spans(
    tokens: Sequence[Token], numbers: Sequence[Number], words: Vocabulary
) -> list[tuple[Span, Number | None]]:
    """Return the spans of time, each with the number that counts it."""
    counted = {number.end: number for number in numbers}
    texts = [token.text.removesuffix("'s").removesuffix("’s").rstrip("'’") for token in tokens]
    spans = []
    for position, text in enumerate(texts):
        unit = words.units.get(text) or words.units.get(text.removesuffix("nya"))
        if unit is not None and not _means_something_else(texts, position, words):
            spans.append(_span(texts, position, unit, counted, words))
    return spans


def _means_something_else(texts: Sequence[str], position: int, words: Vocabulary) -> bool:
    before, after = texts[position - 1] if position else "", (texts[position + 1 :] or [""])[0]
    if after in words.weekdays or after in words.months or after[:1].isdecimal():
        return True  # "hari Senin", "bulan Mei", "tahun 2019", "jam 3"
    return before in words.no_unit_after or after in words.no_unit_before


def _span(
    texts: Sequence[str], position: int, unit: Unit, counted: dict[int, Number], words: Vocabulary
) -> tuple[Span, Number | None]:
    if unit.count is not None:
        return Span(unit.days, unit.count, is_certain=True), None
    at = position
    while at and texts[at - 1] in words.between | {"-"} and at not in counted:
        at -= 1
    number = counted.get(at)
    if number is not None and not number.is_place and len(number.values) == 1:
        count = float(min(number.values)) + _half_after(texts, position, words)
        return Span(unit.days, count, is_certain=True), number
    before, after = texts[at - 1] if at else "", (texts[position + 1 :] or [""])[0]
    if before in words.one_before or after in words.one_after:
        return Span(unit.days, 1.0 + _half_after(texts, position, words), is_certain=True), None
    return Span(unit.days, None, is_certain=unit.is_surely_time or before in words.some_before), None


def _half_after(texts: Sequence[str], position: int, words: Vocabulary) -> float:
    """Return the half of "a year and a half" and of "satu tahun setengah"."""
    after = [text for text in texts[position + 1 : position + 4] if text not in ("and", "a")]
    return 0.5 if after and after[0] in words.halves and len(texts) > position + 1 else 0.0


def _read_calendar(text: str, tokens: Sequence[Token], words: Vocabulary, found: Quantities) -> None:
    """Find months and days of the week; "may" and "march" are such with a capital only."""
    for position, token in enumerate(tokens):
        if not text[token.start].isupper():
            continue
        if (month := words.months.get(token.text)) is not None and not _opens_a_question(tokens, position):
            found.months.add(month)
            found.numbers.append(Quantity(frozenset({("month", Fraction(month))}), is_loose=True))
        weekday = words.weekdays.get(token.text)
        if weekday is not None and token.text != "minggu":
            found.weekdays.add(weekday)


def _opens_a_question(tokens: Sequence[Token], position: int) -> bool:
    """Tell whether a "May" or "March" at a sentence's beginning may be the verb."""
    begins = position == 0 or tokens[position - 1].text in ".?!"
    return tokens[position].text in ("may", "march") and begins
