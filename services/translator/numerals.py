"""Reads numbers in digits and words: "10k", "5 juta 500 ribu", "twenty-five", "three quarters".

A number that can be read in several ways keeps all of them: in English "10.000" is ten or ten thousand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from services.translator.digits import Values, read_digits
from services.translator.vocabulary import SUFFIXES, Vocabulary

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]")
HUNDRED = 100
THOUSANDS = 1000
ROUNDED = 100
"""A part such as a third is also written with two decimals."""
HALF = Fraction(1, 2)
ONE = frozenset({Fraction(1)})


@dataclass(frozen=True)
class Token:
    """A number, a word or a sign, in lower case."""

    text: str
    start: int
    end: int

    @property
    def is_digits(self) -> bool:
        """Whether it is a number in digits."""
        return self.text[0].isdecimal()


@dataclass(frozen=True)
class Number:
    """A number of a text, with all of its readings."""

    values: Values
    first: int
    """Index of its first token."""
    end: int
    """Index after its last token."""
    in_digits: bool
    is_place: bool = False
    """A place in a row, such as "third"."""


def tokens_of(text: str) -> list[Token]:
    """Cut a text into numbers, words and signs."""
    return [Token(match.group().lower(), match.start(), match.end()) for match in TOKEN.finditer(text)]


def _parts(parts: set[Fraction]) -> set[Fraction]:
    """Return parts with what they are in whole percents."""
    rounded = {Fraction(round(part * ROUNDED), ROUNDED) for part in parts}
    return parts | rounded | {Fraction(math.floor(part * ROUNDED), ROUNDED) for part in parts}


def read_numbers(tokens: Sequence[Token], words: Vocabulary, language: str) -> list[Number]:
    """Return the numbers among a text's tokens, in their order."""
    numbers: list[Number] = []
    position = 0
    while position < len(tokens):
        number = _Reading(tokens, words, language, position).number()
        if number is None:
            position += 1
        else:
            numbers.append(number)
            position = number.end
    return numbers


@dataclass
class _Reading:
    """One number while it is read: its closed groups (thousands, millions), open group, last small number."""

    tokens: Sequence[Token]
    words: Vocabulary
    language: str
    position: int
    total: Fraction = Fraction(0)
    group: Fraction = Fraction(0)
    last: Values | None = None
    bound: float = math.inf
    """The last thousand, million …: what follows in the same number is smaller."""
    closed: int = field(default=-1)
    """Index after the tokens of `total`."""
    in_digits: bool = False

    def number(self) -> Number | None:
        """Read the number that begins here. None where none does."""
        first = self.position
        place = self.words.ordinals.get(self._text())
        if place is not None:
            fractions = _parts({Fraction(1, place)}) if self.language == "en" else set()
            return Number(
                frozenset({Fraction(place)} | fractions), first, first + 1, in_digits=False, is_place=True
            )
        while self._step():
            pass
        if self.position == first:
            return None
        values = frozenset(self.total + self.group + last for last in self.last or {Fraction(0)})
        return self._with_percent(Number(values, first, self.position, self.in_digits))

    def _text(self, ahead: int = 0) -> str:
        at = self.position + ahead
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    @property
    def _has_begun(self) -> bool:
        return self.last is not None or self.group > 0 or self.total > 0

    def _step(self) -> bool:
        """Take the next token into the number. False where it is not one of its own."""
        text = self._text()
        if not text:
            return False
        if text[0].isdecimal():
            return self._take_digits()
        if text in self.words.small:
            return self._take_small(Fraction(self.words.small[text]))
        if text in ("belas", "point", "koma"):
            return self._take_joined(text)
        if text in self.words.multipliers:
            return self._take_multiplier(Fraction(self.words.multipliers[text]))
        if text in self.words.halves:
            return self._take_half()
        if text in self.words.parts:
            return self._take_parts(self.words.parts[text])
        return self._take_joint(text)

    def _advance(self, count: int = 1) -> bool:
        self.position += count
        return True

    def _take_digits(self) -> bool:
        token = self.tokens[self.position]
        suffix = self._suffix()
        values = read_digits(token.text, self.language)
        if self._has_begun:
            # "5 juta 500 ribu" goes on; in "5 juta 2019" another number begins.
            multiplier = self.words.multipliers.get(self._text(1), 0)
            if self.last is not None or suffix or not 0 < multiplier < self.bound:
                return False
        self.in_digits = True
        self.last = frozenset(value * factor for value in values for factor in suffix or [1])
        return self._advance(2 if suffix else 1)

    def _suffix(self) -> list[int]:
        if self.position + 1 >= len(self.tokens):
            return []
        token, after = self.tokens[self.position], self.tokens[self.position + 1]
        return SUFFIXES.get(after.text, []) if after.start == token.end else []

    def _take_small(self, value: Fraction) -> bool:
        if value >= THOUSANDS:  # "seribu" is a number and its multiplier in one.
            return self._close(value)
        if value >= HUNDRED:
            return self._open(value)
        if self.last is None:
            self.last = frozenset({value})
            return self._advance()
        tens = min(self.last)
        if self.in_digits or not (20 <= tens <= 90 and tens % 10 == 0 and 0 < value < 10):
            return False
        self.last = frozenset({tens + value})
        return self._advance()

    def _open(self, value: Fraction) -> bool:
        if self.last is not None or self.group > 0:
            return False
        self.group = value
        return self._advance()

    def _close(self, value: Fraction) -> bool:
        if self._has_begun:
            return False
        self.total, self.bound = value, float(value)
        self.closed = self.position + 1
        return self._advance()

    def _take_joined(self, text: str) -> bool:
        if self.last is None or self.in_digits:
            return False
        if text == "belas":
            self.last = frozenset(value + 10 for value in self.last)
            return self._advance()
        decimals = ""
        while (digit := self.words.small.get(self._text(1 + len(decimals)), 10)) < 10:
            decimals += str(digit)
        if not decimals:
            return False
        self.last = frozenset(value + Fraction(int(decimals), 10 ** len(decimals)) for value in self.last)
        return self._advance(1 + len(decimals))

    def _take_multiplier(self, factor: Fraction) -> bool:
        if factor < THOUSANDS:
            return self._multiply_in_group(factor)
        if factor >= self.bound:  # The open group belongs to the next number.
            self.position, self.group, self.last = self.closed, Fraction(0), None
            return False
        if self.last is None and self.group == 0 and self.total > 0:
            return False
        values = frozenset(self.group + last for last in self.last or {Fraction(0)}) - {0} or ONE
        if self.total == 0 and len(values) > 1:  # Of several readings none is chosen, and the number ends.
            self.last, self.group = frozenset(value * factor for value in values), Fraction(0)
            self._advance()
            return False
        self.total += min(values) * factor
        self.group, self.last, self.bound = Fraction(0), None, float(factor)
        self.closed = self.position + 1
        return self._advance()

    def _multiply_in_group(self, factor: Fraction) -> bool:
        if self.last is None and self._has_begun:
            return False
        self.group += min(self.last or ONE) * factor
        self.last = None
        return self._advance()

    def _take_half(self) -> bool:
        if not self._has_begun:
            self.last = frozenset({HALF})
            skipped = 1 if self._text(1) in ("a", "an") else 0
            return self._advance(1 + skipped)
        if self.language == "en" or self.last is None:
            return False
        self.last = frozenset(value + HALF for value in self.last)
        return self._advance()

    def _take_parts(self, denominator: int) -> bool:
        if self._has_begun and (self.last is None or self.in_digits):
            return False
        self.last = frozenset(_parts({value / denominator for value in self.last or {Fraction(1)}}))
        return self._advance()

    def _take_joint(self, text: str) -> bool:
        """Take what stands between the parts of one number: "twenty-five", "and five", "and a half"."""
        if not self._has_begun or self.language != "en":
            return False
        if text == "and" and self._text(1) == "a" and self._text(2) in self.words.halves and self.last:
            self.last = frozenset(value + HALF for value in self.last)
            return self._advance(3)
        after = self._text(1)
        larger = after in self.words.multipliers or after in self.words.parts
        follows = after in self.words.small or (text == "-" and larger)
        before = self._text(-1)
        joins = (
            before in self.words.multipliers if text == "and" else text == "-" and before in self.words.small
        )
        return joins and follows and not self.in_digits and self._advance()

    def _with_percent(self, number: Number) -> Number:
        after = self._text()
        if after not in self.words.percent and not (after == "per" and self._text(1) == "cent"):
            return number
        values = number.values | {value / 100 for value in number.values}
        return Number(values, number.first, number.end, number.in_digits)
