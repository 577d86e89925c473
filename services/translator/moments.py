"""Reads dates in digits and times of day: "17-08-1998", "3 pm", "15.00", "jam 3 sore", "half past three"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.translator.numerals import Number, Token
from services.translator.vocabulary import Vocabulary

DATE = re.compile(
    r"(?<![\d.,/-])(?:(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{1,2})([-/.])(\d{1,2})\5(\d{4}|\d{2}))(?![\d/-])"
)
DOTTED = re.compile(r"(\d{1,2})\.([0-5]\d)")
MINUTE = re.compile(r"[0-5]\d")
LAST_HOUR = 24
NOON_HOUR = 12
LAST_DAY = 31
LAST_MONTH = 12
CLOCK_WORDS = ("jam", "pukul")
PAST = {("half", "past"): 30, ("quarter", "past"): 15, ("quarter", "to"): -15}
NAMED = {"noon": 720, "midday": 720, "midnight": 0}
NAMED_PAIRS = {("tengah", "hari"): 720, ("tengah", "malam"): 0}


@dataclass(frozen=True)
class Clock:
    """A time of day, as all the minutes of the day that it can mean."""

    minutes: frozenset[int]
    hour: Fraction
    """What it is as a bare number."""
    end: int
    """Index after its last token."""
    is_certain: bool
    """Whether it can't be a plain number."""


@dataclass(frozen=True)
class Date:
    """A date in digits. Day and month are both there for each, where either order is possible."""

    days: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]


def read_dates(text: str) -> tuple[list[Date], str]:
    """Return the dates in digits, and the text with blanks in their place."""
    dates = []

    def blank(match: re.Match[str]) -> str:
        date = _date(match)
        if date is None:
            return match.group()
        dates.append(date)
        return " " * len(match.group())

    return dates, DATE.sub(blank, text)


def _date(match: re.Match[str]) -> Date | None:
    if match[1]:
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        orders = [(day, month)]
    else:
        year, orders = int(match[7]), [(int(match[4]), int(match[6])), (int(match[6]), int(match[4]))]
    possible = [(day, month) for day, month in orders if 1 <= day <= LAST_DAY and 1 <= month <= LAST_MONTH]
    if not possible:
        return None
    years = {year} if year >= 100 else {year, 1900 + year, 2000 + year}
    days, months = zip(*possible, strict=True)
    return Date(frozenset(days), frozenset(months), frozenset(years))


def clock_of(tokens: Sequence[Token], number: Number, words: Vocabulary) -> Clock | None:
    """Return the time of day that a number tells. None where it tells none."""
    hour, minute, end = _written(tokens, number)
    if hour is None or not 0 <= hour <= LAST_HOUR:
        return None
    before = tuple(token.text for token in tokens[max(0, number.first - 2) : number.first])
    hours, after = _day_part(tokens, end, words)
    shift = PAST.get(before, 0)  # type: ignore[arg-type]
    if before[-1:] == ("setengah",):
        shift = -30 if before[0] in CLOCK_WORDS else 0
    said = bool(shift) or before[-1:] in {(word,) for word in CLOCK_WORDS} or _text(tokens, end) == "o'clock"
    if minute is None and not said and hours is None:
        return None
    has_colon = minute is not None and end - number.first > 1
    at = hour * 60 + (minute or 0) + shift
    bare = Fraction(hour) + Fraction(minute or 0, 100)
    return Clock(_minutes(at, hours), bare, after, said or hours is not None or has_colon)


def named_times(tokens: Sequence[Token]) -> list[int]:
    """Return noon and midnight, as minutes of the day."""
    texts = [token.text for token in tokens]
    found = [NAMED[text] for text in texts if text in NAMED]
    return found + [NAMED_PAIRS[pair] for pair in itertools.pairwise(texts) if pair in NAMED_PAIRS]


def _written(tokens: Sequence[Token], number: Number) -> tuple[int | None, int | None, int]:
    """Return hour, minutes and the index after them."""
    text = tokens[number.first].text
    if dotted := DOTTED.fullmatch(text):
        return int(dotted[1]), int(dotted[2]), number.first + 1
    if number.is_place or len(number.values) != 1:
        return None, None, number.end
    (value,) = number.values
    if value.denominator != 1:
        return None, None, number.end
    if (
        text.isdecimal()
        and _text(tokens, number.end) == ":"
        and MINUTE.fullmatch(_text(tokens, number.end + 1))
    ):
        return int(value), int(_text(tokens, number.end + 1)), number.end + 2
    return int(value), None, number.end


def _day_part(tokens: Sequence[Token], at: int, words: Vocabulary) -> tuple[tuple[int, int] | None, int]:
    """Return the hours that the words after a number allow, and the index after them."""
    if _text(tokens, at) in ("a", "p") and [_text(tokens, at + 1), _text(tokens, at + 2)] == [".", "m"]:
        return words.day_parts.get(f"{_text(tokens, at)}m"), at + 3
    if _text(tokens, at) == "o'clock":
        at += 1
    if [_text(tokens, at), _text(tokens, at + 1)] == ["in", "the"]:
        at += 2
    elif _text(tokens, at) == "at":
        at += 1
    elif _text(tokens, at) in ("morning", "afternoon", "evening", "night"):
        return None, at  # "3 nights", "2 morning shifts"
    hours = words.day_parts.get(_text(tokens, at))
    return hours, at + (hours is not None)


def _minutes(at: int, hours: tuple[int, int] | None) -> frozenset[int]:
    day = LAST_HOUR * 60
    if at >= (NOON_HOUR + 1) * 60:
        return frozenset({at % day})
    either = {at % (NOON_HOUR * 60) + half * NOON_HOUR * 60 for half in range(3)}
    fitting = {minute for minute in either if hours and hours[0] * 60 <= minute < (hours[1] + 1) * 60}
    return frozenset(minute % day for minute in fitting or either)


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""
