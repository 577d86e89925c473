"""Answers as fits see them: cut and described as the assessor does it, beside their labels and levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.assessor.corpus import Case
from benchmarks.assessor.observations import Observation, asked_sentences
from services.assessor.answer import Segment
from services.assessor.cues import CueWords, find_cues
from services.assessor.kinds import evidence_of_tags
from services.assessor.prompts import Prompts, choose_prompts
from services.assessor.sentences import Sentence, split_sentences
from services.assessor.tags import Tag

TAGS = tuple(Tag)
Columns = NDArray[np.float64]


@dataclass(frozen=True)
class Described:
    """One answer."""

    case: Case
    sentences: tuple[Sentence, ...]
    cues: tuple[Mapping[str, float], ...]
    inputs: Columns
    """A row a sentence: its cues, then what was said of its tag."""
    places: tuple[int, ...]
    """Of each sentence the place of the labelled one that it is cut from."""
    labels: NDArray[np.intp]
    """Of each sentence the place of its label in `TAGS`."""
    checks: Mapping[str, float]
    """Log-odds. Empty without a model."""
    prompt_version: str


def describe_case(
    words: CueWords,
    case: Case,
    tags: Sequence[Mapping[Tag, float] | None],
    observation: Observation | None,
    prompts: Mapping[str, Prompts],
) -> Described:
    """Describe an answer with what a method says of the tag of each of its sentences."""
    sentences = asked_sentences(case)
    cues = find_cues(words, case.question, sentences)
    places = places_of(case, sentences)
    rows = [[*found.values(), *evidence_of_tags(said)] for found, said in zip(cues, tags, strict=True)]
    return Described(
        case=case,
        sentences=sentences,
        cues=tuple(cues),
        inputs=np.array(rows, dtype=float).reshape(len(sentences), -1),
        places=tuple(places),
        labels=np.array([TAGS.index(case.sentences[place].tag) for place in places], dtype=np.intp),
        checks={} if observation is None else observation.checks,
        prompt_version=choose_prompts(prompts, case.language_code).version,
    )


def places_of(case: Case, sentences: Sequence[Sentence]) -> list[int]:
    """Find the labelled sentences that sentences as the assessor cuts them come from."""
    cut = split_sentences([Segment(item.text) for item in case.sentences])
    places = case.places([sentence.word_count() for sentence in cut])
    by_id = {piece.id: place for piece, place in zip(cut, places, strict=True)}
    return [by_id[sentence.id] for sentence in sentences]
