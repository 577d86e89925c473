"""The words that the checks know, from `words.toml`: numbers, units of time, currencies, days and months."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Unit:
    """A unit of time as one word writes it."""

    days: float
    count: float | None
    """1 where the word itself means one of them. None where it does not say."""
    is_surely_time: bool
    """Whether the word alone speaks of a span: "hours" does, while "jam" is a clock as well."""


@dataclass(frozen=True)
class Vocabulary:
    """What is known of one language. All of it is empty for a language without tables."""

    small: Mapping[str, int]
    multipliers: Mapping[str, int]
    ordinals: Mapping[str, int]
    parts: Mapping[str, int]
    halves: frozenset[str]
    loose: Mapping[str, int]
    percent: frozenset[str]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    day_parts: Mapping[str, tuple[int, int]]
    units: Mapping[str, Unit]
    one_before: frozenset[str]
    one_after: frozenset[str]
    some_before: frozenset[str]
    between: frozenset[str]
    no_unit_after: frozenset[str]
    """A unit's word means something else after these."""
    no_unit_before: frozenset[str]
    """The same before these."""


@dataclass(frozen=True)
class NegationWords:
    """How a language says no, as patterns of whole words and phrases."""

    neutral: re.Pattern[str]
    """What looks like a negation and is none."""
    negations: re.Pattern[str]
    """What has to be answered in another language."""
    near: re.Pattern[str]
    """What may answer a negation of another language."""


def _phrases(text: str) -> re.Pattern[str]:
    """Compile phrases, each whole and the longest first, with "*" for any letters."""
    phrases = [phrase.strip() for phrase in re.split(r"[;\n]", text) if phrase.strip()]
    choices = (
        re.escape(phrase).replace(r"\*", r"[\w-]*") for phrase in sorted(phrases, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w-])(?:{'|'.join(choices)})(?![\w-])")


def _words(table: str, language: str) -> frozenset[str]:
    return frozenset(_TABLES[table].get(language, "").split())


def _numbered(table: str, language: str) -> dict[str, int]:
    return {word: number for number, word in enumerate(_TABLES[table].get(language, "").split(), start=1)}


def _units(language: str) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for row in _TABLES["units"]:
        for suffix, count in (("", None), ("_many", None), ("_one", 1.0)):
            for word in row.get(f"{language}{suffix}", "").split():
                units[word] = Unit(row["days"], count, bool(suffix))
    return units


def _vocabulary(language: str) -> Vocabulary:
    exceptions = _TABLES["not_a_unit"]
    return Vocabulary(
        small=_TABLES["small"].get(language, {}),
        multipliers=_TABLES["multipliers"].get(language, {}),
        ordinals=_TABLES["ordinals"].get(language, {}),
        parts=_TABLES["parts"].get(language, {}),
        halves=_words("halves", language),
        loose=_TABLES["loose"].get(language, {}),
        percent=_words("percent", language) or frozenset("%"),
        months=_numbered("months", language),
        weekdays=_numbered("weekdays", language),
        day_parts={word: tuple(hours) for word, hours in _TABLES["day_parts"].get(language, {}).items()},
        units=_units(language),
        one_before=_words("one_before", language),
        one_after=_words("one_after", language),
        some_before=_words("some_before", language),
        between=_words("between", language),
        no_unit_after=frozenset(exceptions.get(f"{language}_before", "").split()),
        no_unit_before=frozenset(exceptions.get(f"{language}_after", "").split()),
    )


SUFFIXES: Mapping[str, list[int]] = _TABLES["suffixes"]
CURRENCIES: Mapping[str, str] = {
    word: currency for currency, words in _TABLES["currencies"].items() for word in words.split()
}
"""Each word and sign of a currency, with the currency's name."""
FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split()) for language, words in _TABLES["function_words"].items()
}
NEGATIONS: Mapping[str, NegationWords] = {
    language: NegationWords(*(_phrases(words[name]) for name in ("neutral", "negations", "near")))
    for language, words in _TABLES["negation"].items()
}
LANGUAGES = frozenset(FUNCTION_WORDS)
"""The languages with tables."""
_VOCABULARIES = {language: _vocabulary(language) for language in (*LANGUAGES, "")}


def vocabulary_of(language: str) -> Vocabulary:
    """Return a language's words. Empty tables for one that has none."""
    return _VOCABULARIES.get(language, _VOCABULARIES[""])
