"""How much of an account an answer is: figures from 0 to 1, each a sum over its sentences.

What a sentence is decides whether it adds anything (`kinds.py`). Its wording decides how much (`cues.py`): a
claim without particulars, the question read back and what was said before add little or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.assessor.cues import Cues
from services.assessor.tags import Tag

SATURATION = 0.7
"""Sentences' worth of one kind at which two thirds of its figure are reached. More adds less and less."""
STORY_SATURATION = 2.0
LEAST_WORTH = 0.4
"""What a sentence of a kind is worth without any particulars. With all of them it is 1."""
SITUATION_SHARE = 0.6
"""How far a result or a lesson counts that follows from a situation alone."""

Probabilities = Mapping[Tag, float]
Sentence = tuple[Probabilities, Cues]


@dataclass(frozen=True)
class Figure:
    """A figure from 0 to 1, and what each sentence adds to it, in the order of the sentences."""

    value: float
    parts: tuple[float, ...]
    """They sum to `value`."""


def describe(sentences: Sequence[Sentence], check_figure: float = 0.0) -> dict[str, Figure]:
    """Compute the figures of an answer.

    Args:
        sentences: What each sentence is and what its wording hints at.
        check_figure: Mean probability of the checks minus a half, or 0 where none were asked. It rests on
            the whole answer.

    Returns:
        The figures by name, in a fixed order. All are 0 without sentences.
    """
    figures = {name: _mean(sentences, amount) for name, amount in _MEANS.items()}
    situation = _saturating(sentences, _worth(Tag.SITUATION), SATURATION)
    deed = _saturating(sentences, _own_worth, SATURATION)
    result = _saturating(sentences, _worth(Tag.RESULT), SATURATION)
    lesson = _saturating(sentences, _worth(Tag.LESSON), SATURATION)
    ground = max(deed.value, SITUATION_SHARE * situation.value)
    figures |= {
        "situation": situation,
        "deed": deed,
        "result": _scaled(result, ground),
        "lesson": _scaled(lesson, max(ground, result.value * ground)),
        "outcome_of_deed": _scaled(result, deed.value),
        "lesson_of_outcome": _scaled(lesson, deed.value * result.value),
        "story": _saturating(sentences, _story_worth, STORY_SATURATION),
        "checks": Figure(check_figure, tuple(check_figure / len(sentences) for _ in sentences)),
    }
    return figures


def names() -> tuple[str, ...]:
    """Name the figures in the order in which they are computed."""
    return tuple(describe([]))


def _worth(tag: Tag) -> Callable[[Probabilities, Cues], float]:
    return lambda tags, cues: tags[tag] * _solid(cues)


def _own_worth(tags: Probabilities, cues: Cues) -> float:
    return tags[Tag.ACTION] * _solid(cues) * (1.0 - cues["of_others"])


def _story_worth(tags: Probabilities, cues: Cues) -> float:
    return (tags[Tag.SITUATION] + tags[Tag.ACTION] + tags[Tag.RESULT]) * _solid(cues)


def _solid(cues: Cues) -> float:
    """Say how much a sentence is worth that is of a kind, by its wording."""
    rich = LEAST_WORTH + (1.0 - LEAST_WORTH) * cues["particulars"]
    return rich * (1.0 - cues["hollow"]) * (1.0 - cues["echo"]) * (1.0 - cues["repeat"])


def _cue(name: str) -> Callable[[Probabilities, Cues], float]:
    return lambda _, cues: cues[name]


def _tag(tag: Tag) -> Callable[[Probabilities, Cues], float]:
    return lambda tags, _: tags[tag]


_MEANS: Mapping[str, Callable[[Probabilities, Cues], float]] = {
    "offtopic_share": _tag(Tag.OFFTOPIC),
    "general_share": _tag(Tag.GENERAL),
    "hollow_share": _cue("hollow"),
    "echo_share": _cue("echo"),
    "repeat_share": _cue("repeat"),
    "evasive_share": _cue("evasive"),
    "others_share": _cue("of_others"),
    "chatter_share": _cue("chatter"),
    "habit_share": lambda _, cues: max(cues["habit"], cues["stative_self"], cues["generic"]),
    "particulars_share": _cue("particulars"),
    "topic_share": _cue("topic"),
    "work_share": _cue("work"),
}


def _mean(sentences: Sequence[Sentence], amount: Callable[[Probabilities, Cues], float]) -> Figure:
    parts = tuple(amount(tags, cues) / len(sentences) for tags, cues in sentences)
    return Figure(sum(parts), parts)


def _saturating(
    sentences: Sequence[Sentence], amount: Callable[[Probabilities, Cues], float], saturation: float
) -> Figure:
    amounts = [amount(tags, cues) for tags, cues in sentences]
    whole = sum(amounts)
    value = 1.0 - math.exp(-whole / saturation)
    return Figure(value, tuple(value * part / whole if whole else 0.0 for part in amounts))


def _scaled(figure: Figure, by: float) -> Figure:
    return Figure(figure.value * by, tuple(part * by for part in figure.parts))
