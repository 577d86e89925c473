"""Reads the spoken sentences, their good translations and the patterns of what has to survive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import yaml

CORPUS_FILE = Path(__file__).parent / "sentences.yaml"
DIRECTIONS = ("en-id", "id-en")
NOT = "<not>"
"""Stands in a pattern for any word of negation of the target language."""


@dataclass(frozen=True)
class Sentence:
    """A sentence as it is spoken, and what its translation has to say."""

    id: str
    direction: str
    """`en-id` or `id-en`."""
    split: str
    """`tuning` for the half that checks may be made from, `test` for the other half."""
    text: str
    reference: str
    """A good translation."""
    wrong: str
    """A translation that reads well and is wrong."""
    kinds: tuple[str, ...]
    must: tuple[re.Pattern[str], ...]
    must_not: tuple[re.Pattern[str], ...]

    @property
    def source_language(self) -> str:
        """The language that it is spoken in."""
        return self.direction.partition("-")[0]

    @property
    def target_language(self) -> str:
        """The language that it is translated to."""
        return self.direction.partition("-")[2]

    def faults(self, translation: str) -> list[str]:
        """Return the patterns that a translation breaks. None where all that has to survive is there."""
        lost = [pattern.pattern for pattern in self.must if not pattern.search(translation)]
        return lost + [f"not: {pattern.pattern}" for pattern in self.must_not if pattern.search(translation)]


def read_sentences(path: Path = CORPUS_FILE) -> tuple[Sentence, ...]:
    """Read all sentences, by direction."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        _sentence(direction, number, entry, document["not"])
        for direction in DIRECTIONS
        for number, entry in enumerate(document[direction], start=1)
    )


def mixed(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Order sentences so that every beginning of the list holds both directions alike."""
    directions = [[found for found in sentences if found.direction == name] for name in DIRECTIONS]
    return [found for found in chain(*zip_longest(*directions)) if found is not None]


def _sentence(direction: str, number: int, entry: dict[str, Any], negations: dict[str, str]) -> Sentence:
    negation = negations[direction.partition("-")[2]]

    def patterns(name: str) -> tuple[re.Pattern[str], ...]:
        flags = re.IGNORECASE | re.DOTALL
        return tuple(re.compile(text.replace(NOT, negation), flags) for text in entry.get(name, ()))

    return Sentence(
        id=f"{direction}-{number}",
        direction=direction,
        split="tuning" if number % 2 else "test",
        text=entry["text"],
        reference=entry["reference"],
        wrong=entry["wrong"],
        kinds=tuple(entry["kinds"]),
        must=patterns("must"),
        must_not=patterns("must_not"),
    )
