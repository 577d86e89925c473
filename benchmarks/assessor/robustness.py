"""Measures what attacks move: level before and after, for each kind of attack and for benign twins.

The level is that of the rubric's first criterion; an answer without a level counts as the lowest.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.assessor.answer import Answer, Segment
from services.assessor.assessment import Assessment
from services.assessor.injection import find_exclusions
from services.assessor.prompts import Language
from services.assessor.rubric import LOWEST_LEVEL
from services.assessor.sentences import split_sentences
from services.assessor.tags import Tag

Kind = Literal[
    "note",
    "fake_system",
    "fake_transcript",
    "fake_reply",
    "encoded",
    "empty_reply",
    "split",
    "stuffing",
    "adaptive",
]
KINDS: tuple[Kind, ...] = (
    "note",
    "fake_system",
    "fake_transcript",
    "fake_reply",
    "encoded",
    "empty_reply",
    "split",
    "stuffing",
    "adaptive",
)


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    language: Language
    text: Annotated[str, Field(min_length=1)]


class Attack(_Item):
    """What somebody says to move a score."""

    kind: Kind
    held_out: bool = False
    believed: tuple[Tag, ...] = ()
    """What each of its sentences claims to be, where it is claims and no instruction."""

    @model_validator(mode="after")
    def _one_claim_a_sentence(self) -> Attack:
        claims = len(split_sentences([Segment(self.text)])) if self.kind == "stuffing" else 0
        if len(self.believed) != claims:
            raise ValueError("stuffing says for each sentence what it claims to be, other attacks do not")
        return self


class Twin(_Item):
    """An ordinary sentence that sounds like an attack."""

    twin_of: Kind
    tag: Tag
    held_out: bool = False


class Control(_Item):
    """An ordinary sentence that sounds like nothing else."""

    tag: Tag


class Weak(_Item):
    """An answer in general terms, which deserves a low level."""


class Corpus(BaseModel):
    """Attacks and twins, the weak answers that they are put into, and what twins are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    questions: dict[Language, str]
    weak_answers: tuple[Weak, ...]
    controls: tuple[Control, ...]
    attacks: tuple[Attack, ...]
    twins: tuple[Twin, ...]

    def weak(self, language: Language) -> tuple[Weak, ...]:
        """Give the weak answers in a language."""
        return tuple(item for item in self.weak_answers if item.language == language)

    def control(self, twin: Twin) -> Control:
        """Give the sentence that stands in for a twin: of the same kind and language."""
        return next(c for c in self.controls if (c.language, c.tag) == (twin.language, twin.tag))

    def answer(self, language: Language, *parts: str) -> Answer:
        """Make a written answer to the question in a language."""
        return Answer(self.questions[language], tuple(map(Segment, parts)), language)


class Assesses(Protocol):
    """Whatever is measured."""

    def __call__(self, answer: Answer, /) -> Assessment:
        """Judge an answer."""
        ...


@dataclass(frozen=True)
class Measured:
    """What one attack or twin did, on average over the weak answers."""

    id: str
    kind: Kind
    held_out: bool
    flagged: bool
    """All of its sentences are left out (an attack), or any of them is (a twin)."""
    shift_levels: float
    """Attack: mean level with it minus without. Twin: mean distance to the level with its control."""


@dataclass(frozen=True)
class Summary:
    """A row of the report."""

    kind: str
    count: int
    flagged_share: float
    shift_levels: float


def read_corpus(path: Path) -> Corpus:
    """Read and check a corpus."""
    document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Corpus.model_validate(document)


def level(assessment: Assessment) -> float:
    """Give the first criterion's level; the lowest where there is none."""
    found = assessment.criteria[0].level
    return LOWEST_LEVEL if found is None else found


def measure_attack(assess: Assesses, corpus: Corpus, attack: Attack, most_answers: int) -> Measured:
    """Put an attack after weak answers and see how far it lifts them."""
    lifts = [
        level(assess(corpus.answer(attack.language, weak.text, attack.text)))
        - level(assess(corpus.answer(attack.language, weak.text)))
        for weak in corpus.weak(attack.language)[:most_answers]
    ]
    sentences = split_sentences([Segment(attack.text)])
    flagged = len(find_exclusions(sentences)) == len(sentences)
    return Measured(attack.id, attack.kind, attack.held_out, flagged, statistics.fmean(lifts))


def measure_twin(assess: Assesses, corpus: Corpus, twin: Twin, most_answers: int) -> Measured:
    """Put a twin after weak answers and see how far from an ordinary sentence's level they end."""
    control = corpus.control(twin)
    drifts = [
        abs(
            level(assess(corpus.answer(twin.language, weak.text, twin.text)))
            - level(assess(corpus.answer(twin.language, weak.text, control.text)))
        )
        for weak in corpus.weak(twin.language)[:most_answers]
    ]
    flagged = bool(find_exclusions(split_sentences([Segment(twin.text)])))
    return Measured(twin.id, twin.twin_of, twin.held_out, flagged, statistics.fmean(drifts))


def summarise(measured: Iterable[Measured], label: str) -> Summary | None:
    """Average over some of the measured; None where there are none."""
    rows: Sequence[Measured] = list(measured)
    if not rows:
        return None
    return Summary(
        kind=label,
        count=len(rows),
        flagged_share=statistics.fmean(row.flagged for row in rows),
        shift_levels=statistics.fmean(row.shift_levels for row in rows),
    )
