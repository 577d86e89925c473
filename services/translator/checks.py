"""Tells whether a model's translation can be one: quantities kept, length sane, no echo, right language.

It finds what is certainly wrong, and doubts that a reader should know. It does not measure quality. Pure
functions of text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from services.translator.job import Doubt
from services.translator.negation import is_negation_doubtful
from services.translator.quantities import without_quantities
from services.translator.quantity_checks import quantity_fault
from services.translator.vocabulary import FUNCTION_WORDS, LANGUAGES

MAX_LENGTH_RATIO = 1.6
"""Latin script on both sides. English and Indonesian differ by 1.3. Beyond, segments were merged or cut."""
MAX_LENGTH_RATIO_BETWEEN_SCRIPTS = 4.0
"""A good translation from Chinese grows threefold."""
LENGTH_SLACK_CHARACTERS = 15
"""Short texts grow by more than their ratio."""
LATIN_END = "\u0250"
"""The first character after the Latin letters of European languages."""
ECHO_MIN_WORDS = 4
"""Shorter texts may be names or terms, the same in every language."""
ECHO_RATIO = 0.8
"""Share of the translation's words that already stand in the original. Between languages it is near 0."""
REPEATED_MIN_WORDS = 3
"""Shorter translations ("Yes.", "Thank you.") may well mean several originals."""
FOREIGN_MIN_WORDS = 3
"""Function words of the original's language from which on a translation counts as not translated."""

COUNTS_OR_WORDS = re.compile(r"[^\W_]")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def fault_of(source: str, translation: str, source_language: str, target_language: str) -> str | None:
    """Say in a few words what is wrong with a translation. None where nothing certain is.

    Args:
        source: The original text.
        translation: What a model says it means.
        source_language: Language of the original, without region.
        target_language: Language of the translation, without region.
    """
    if not COUNTS_OR_WORDS.search(translation) and WORD.search(source):
        return "it came back empty"
    if _runs_off(
        without_quantities(source, source_language), without_quantities(translation, target_language)
    ):
        return "its length does not fit the original"
    if {source_language, target_language} <= LANGUAGES and _has_strange_letters(source, translation):
        return "it has letters of another script"
    if _echoes(source, translation):
        return "it repeats the original"
    if _untranslated(translation, source_language, target_language):
        return "it is not in the language that was asked for"
    return quantity_fault(source, translation, source_language, target_language)


def doubts_of(source: str, translation: str, source_language: str, target_language: str) -> tuple[Doubt, ...]:
    """Say what a reader should look at in a translation. Each may turn out to be right.

    Args:
        source: The original text.
        translation: Its translation.
        source_language: Language of the original, without region.
        target_language: Language of the translation, without region.
    """
    doubts = []
    if is_negation_doubtful(source, translation, source_language, target_language):
        doubts.append(Doubt.NEGATION_DOUBTFUL)
    if quantity_fault(source, translation, source_language, target_language) is not None:
        doubts.append(Doubt.QUANTITY_DOUBTFUL)
    return tuple(doubts)


def repeated(sources: Sequence[str], translations: Sequence[str]) -> set[int]:
    """Return the positions whose translation stands at another place too, though the originals differ.

    Small models merge two segments and fill the gap with a third one's translation.
    """
    said: dict[str, set[str]] = {}
    keys = [" ".join(_words(translation)) for translation in translations]
    for source, key in zip(sources, keys, strict=True):
        said.setdefault(key, set()).add(" ".join(_words(source)))
    return {
        position
        for position, key in enumerate(keys)
        if len(key.split()) >= REPEATED_MIN_WORDS and len(said[key]) > 1
    }


def _runs_off(source: str, translation: str) -> bool:
    latin = _latin(source) and _latin(translation)
    ratio = MAX_LENGTH_RATIO if latin else MAX_LENGTH_RATIO_BETWEEN_SCRIPTS
    shortest = (len(source) - LENGTH_SLACK_CHARACTERS) / ratio
    return not shortest <= len(translation) <= ratio * len(source) + LENGTH_SLACK_CHARACTERS


def _has_strange_letters(source: str, translation: str) -> bool:
    """Tell whether a translation has letters that neither language is written in: "tiga dan半 tahun"."""
    strange = {letter for letter in translation if letter.isalpha() and letter >= LATIN_END}
    return any(unicodedata.category(letter) == "Lo" for letter in strange - set(source))


def _latin(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return 2 * sum(letter < LATIN_END for letter in letters) >= len(letters)


def _echoes(source: str, translation: str) -> bool:
    said, translated = _words(source), _words(translation)
    if len(said) < ECHO_MIN_WORDS or not translated:
        return False
    known = set(said)
    return sum(word in known for word in translated) / len(translated) >= ECHO_RATIO


def _untranslated(translation: str, source_language: str, target_language: str) -> bool:
    theirs, ours = FUNCTION_WORDS.get(source_language), FUNCTION_WORDS.get(target_language)
    if theirs is None or ours is None:
        return False
    words = _words(translation)
    left = sum(word in theirs for word in words)
    return left >= FOREIGN_MIN_WORDS and left > sum(word in ours for word in words)


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]
