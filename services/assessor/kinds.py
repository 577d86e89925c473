"""What each sentence is, by its wording and by what a method says of its tag: a fitted weighing of both.

A small model and word lists err in ways that wording gives away: a habit taken for a deed, a claim for a
result. The weights were fitted to labelled sentences, so that the probabilities mean what they say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.assessor.cues import Cues
from services.assessor.fitted import Kind
from services.assessor.tags import Tag, TaggedSentence

TAGS = tuple(Tag)
LEAST_PROBABILITY = 0.02
"""What is said to be impossible counts as that likely: nobody is that sure."""


def evidence_of_tags(probabilities: Mapping[Tag, float] | None) -> list[float]:
    """Turn what a method says of a sentence's tag into inputs: log-probabilities, all alike without any."""
    if probabilities is None:
        return [math.log(1.0 / len(TAGS))] * len(TAGS)
    clipped = [max(LEAST_PROBABILITY, probabilities.get(tag, 0.0)) for tag in TAGS]
    whole = sum(clipped)
    return [math.log(value / whole) for value in clipped]


def said_of(item: TaggedSentence) -> Mapping[Tag, float] | None:
    """Give what is said of a sentence's tag. A tag without probabilities counts as certain."""
    if item.probabilities is not None or item.tag is None:
        return item.probabilities
    return {item.tag: 1.0}


def weigh(
    items: Sequence[TaggedSentence], cues: Sequence[Cues], kinds: Mapping[Tag, Kind]
) -> tuple[TaggedSentence, ...]:
    """Weigh tags and wording. Returns the sentences with new tags and probabilities."""
    weighed = []
    for item, found in zip(items, cues, strict=True):
        said = dict(zip(TAGS, evidence_of_tags(said_of(item)), strict=True))
        probabilities = _softmax({tag: _total(kind, found, said) for tag, kind in kinds.items()})
        tag = max(TAGS, key=lambda one: probabilities[one])
        weighed.append(replace(item, tag=tag, probabilities=probabilities))
    return tuple(weighed)


def _total(kind: Kind, cues: Cues, said: Mapping[Tag, float]) -> float:
    by_wording = sum(weight * cues[cue] for cue, weight in kind.cues.items())
    return kind.intercept + by_wording + sum(weight * said[tag] for tag, weight in kind.said.items())


def _softmax(totals: Mapping[Tag, float]) -> dict[Tag, float]:
    highest = max(totals.values())
    masses = {tag: math.exp(totals[tag] - highest) for tag in TAGS}
    whole = sum(masses.values())
    return {tag: mass / whole for tag, mass in masses.items()}
