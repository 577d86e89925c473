"""Doubts that a translation says no where its original does: counts the negations of both sides.

A language may say no in another way ("failed to" and "tidak berhasil", "not until" and "baru"). So what is
found is a doubt for a reader, and never a proof. English and Indonesian only. Pure functions of text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.translator.vocabulary import NEGATIONS

CONTRACTED = re.compile(r"n['’]t\b|(?<=can)not\b")
TAG_QUESTION = re.compile(r",\s*(?:bukan|tidak|nggak|enggak|no|\w+n['’]t\s+\w+)\s*\?")
"""A question at a sentence's end that asks to agree: ", bukan?", ", isn't it?"."""
APART = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class Negations:
    """How often a text says no."""

    count: int
    """By words that have to be answered in the other language."""
    near_count: int
    """By words that may answer one."""


def is_negation_doubtful(source: str, translation: str, source_language: str, target_language: str) -> bool:
    """Tell whether one side says no and nothing on the other side may stand for it.

    Args:
        source: The original text.
        translation: Its translation.
        source_language: Language of the original, without region.
        target_language: Language of the translation, without region.
    """
    if not {source_language, target_language} <= NEGATIONS.keys():
        return False
    said, meant = read_negations(source, source_language), read_negations(translation, target_language)
    return _is_lost(said, meant) or _is_lost(meant, said)


def read_negations(text: str, language: str) -> Negations:
    """Count the negations of a text in one of the languages with tables."""
    words = NEGATIONS[language]
    plain = CONTRACTED.sub(" not", TAG_QUESTION.sub(" ", text.lower()))
    # What looks like a negation and is none goes first, so that each is read once.
    plain = words.neutral.sub(" ", " ".join(APART.split(plain)))
    plain, count = words.negations.subn(" ", plain)
    return Negations(count, len(words.near.findall(plain)))


def _is_lost(these: Negations, others: Negations) -> bool:
    """Tell whether one side has a negation for which the other has no word that is not spoken for."""
    answers = others.count + max(0, others.near_count - these.near_count)
    return these.count > 0 and answers == 0
