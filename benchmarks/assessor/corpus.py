"""Reads the answers at planned levels, and picks from them in an order in which any beginning is mixed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Any

import yaml

from services.assessor.tags import Tag

ANSWERS_DIR = Path(__file__).parent / "answers"
CORPUS_FILE = ANSWERS_DIR / "first.yaml"
"""Whose answers the assessor was built with."""
PUNCTUATED_DIR = ANSWERS_DIR / "punctuated"
"""The same answers of an author who writes none, with full stops and capitals."""
PAIRS_FILE = ANSWERS_DIR / "in_two_languages" / "tricks.yaml"
"""Further answers of one author, each in English and in Indonesian, sentence by sentence."""
TIDY_VOICE = "tidy"
"""Whole sentences of somebody who writes as they speak: the voice of files that name none."""
SHUFFLE_SEED = 0


@dataclass(frozen=True)
class LabelledSentence:
    """A sentence and what its author meant it to be."""

    tag: Tag
    text: str


@dataclass(frozen=True)
class Case:
    """One answer to one question, with the level that it was written for."""

    id: str
    question_id: str
    question: str
    language_code: str
    split: str
    """`tuning` or `test`; all answers to a question are in the same half. A file without halves is `test`."""
    level: int
    adversarial: str | None
    """The kind of trick in it; None for an ordinary answer."""
    sentences: tuple[LabelledSentence, ...]
    author: str = "first"
    """Who wrote it. Nobody's answers may be judged by what was fitted to them."""
    voice: str = TIDY_VOICE
    """Whose way of speaking it is: terse, rambling, unpunctuated, everyday …"""

    @property
    def text(self) -> str:
        """The answer as it would be spoken."""
        return " ".join(sentence.text for sentence in self.sentences)

    def word_count(self) -> int:
        """Count the words."""
        return len(self.text.split())

    def places(self, word_counts: Sequence[int]) -> list[int]:
        """Find the labelled sentences of pieces that the answer is cut into: those with most of their words.

        Args:
            word_counts: Words of each piece. Together they are all words of the answer.

        Returns:
            For each piece the place of its labelled sentence.
        """
        owners = [place for place, item in enumerate(self.sentences) for _ in item.text.split()]
        ends = list(accumulate(word_counts))
        starts = [0, *ends[:-1]]
        return [
            max(owned, key=owned.count)
            for owned in (owners[start:end] for start, end in zip(starts, ends, strict=True))
        ]


def read_all_cases(directory: Path = ANSWERS_DIR) -> tuple[Case, ...]:
    """Read the answers of all authors."""
    return tuple(case for path in sorted(directory.glob("*.yaml")) for case in read_cases(path))


def read_cases(path: Path = CORPUS_FILE) -> tuple[Case, ...]:
    """Read all answers of one author."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        Case(
            id=f"{question['id']}-{number}",
            question_id=question["id"],
            question=question["text"],
            language_code=question["language_code"],
            split=question.get("split", "test"),  # Nobody tunes on the other authors' answers.
            level=answer["level"],
            adversarial=answer.get("adversarial"),
            sentences=tuple(
                LabelledSentence(Tag(tag), text)
                for sentence in answer["sentences"]
                for tag, text in sentence.items()
            ),
            author=document["author"],
            voice=answer.get("voice", TIDY_VOICE),
        )
        for question in document["questions"]
        for number, answer in enumerate(question["answers"], start=1)
    )


def read_pairs(path: Path = PAIRS_FILE) -> tuple[tuple[Case, Case], ...]:
    """Read answers in two languages, translated by hand: each as two cases with the same labels."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        (
            _one_of_pair(document["author"], number, pair, "en"),
            _one_of_pair(document["author"], number, pair, "id"),
        )
        for number, pair in enumerate(document["pairs"], start=1)
    )


def _one_of_pair(author: str, number: int, pair: Mapping[str, Any], code: str) -> Case:
    return Case(
        id=f"{author}_pair_{code}-{number}",
        question_id=f"{author}_pair_{number}",
        question=pair["question"][code],
        language_code=code,
        split="test",
        level=pair["level"],
        adversarial=None,
        sentences=tuple(LabelledSentence(Tag(item["tag"]), item[code]) for item in pair["sentences"]),
        author=author,
    )


def mixed(cases: Sequence[Case]) -> list[Case]:
    """Order cases so that every beginning of the list holds all languages, levels and kinds alike."""
    shuffled = list(cases)
    random.Random(SHUFFLE_SEED).shuffle(shuffled)
    strata: dict[tuple[bool, int, str], list[Case]] = defaultdict(list)
    for case in shuffled:
        strata[(case.adversarial is not None, case.level, case.language_code)].append(case)
    rounds = zip_longest(*(strata[key] for key in sorted(strata)))
    return [case for one_of_each in rounds for case in one_of_each if case is not None]
