"""What a sentence can be, and a sentence together with what it was found to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.assessor.injection import Exclusion
from services.assessor.sentences import Sentence


class Tag(StrEnum):
    """What one sentence of an answer does for the question."""

    OFFTOPIC = "offtopic"
    GENERAL = "general"
    SITUATION = "situation"
    ACTION = "action"
    RESULT = "result"
    LESSON = "lesson"


STORY = (Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON)
"""The parts of a told experience, in the order in which they happened."""


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence and what it was found to be."""

    sentence: Sentence
    tag: Tag | None = None
    """The likeliest tag. None where nothing was found in it, or where it was left out."""
    probabilities: Mapping[Tag, float] | None = None
    """Probability of each tag. They sum to 1. None where the tag counts as certain."""
    exclusion: Exclusion | None = None

    def probability(self, *tags: Tag) -> float:
        """Probability that the sentence is one of `tags`."""
        if self.probabilities is not None:
            return sum(self.probabilities.get(tag, 0.0) for tag in tags)
        return float(self.tag in tags)
