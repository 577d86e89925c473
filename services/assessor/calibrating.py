"""Fits the offsets of the checks for one model, from answers whose levels are known.

A small model says yes to nearly everything. What tells answers apart is how surely it does. So for each
check a logistic curve is fitted through the log-odds: its middle is the offset, its width the scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis.deadline import Deadline
from chassis.errors import InvalidInputError
from services.assessor.answer import Segment
from services.assessor.checks import ONE_TOKEN, Offset, yes_log_odds
from services.assessor.conversation import Conversation
from services.assessor.injection import find_exclusions
from services.assessor.language_model import LanguageModel
from services.assessor.prompts import Prompts, choose_prompts
from services.assessor.rubric import HIGHEST_LEVEL, LOWEST_LEVEL
from services.assessor.sentences import Sentence, split_sentences

LEAST_ANSWERS = 10
"""Two numbers fitted through fewer points say little."""
RIDGE = 0.01
"""Pulls the slope of well separated answers back from infinity. Worth a hundredth of an answer."""
LEAST_SLOPE = 0.02
"""Below it a check says nothing of the level, and is left out."""
STEPS = 50
TOLERANCE = 1e-8


class _LabelledAnswer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    level: Annotated[float, Field(ge=LOWEST_LEVEL, le=HIGHEST_LEVEL)]
    sentences: Annotated[list[str | dict[str, str]], Field(min_length=1)]
    """Plain, or each with a label in front, which is not looked at."""


class _Question(BaseModel):
    model_config = ConfigDict(extra="ignore")

    text: str
    language_code: str
    split: str = ""
    answers: list[_LabelledAnswer]


class _Corpus(BaseModel):
    model_config = ConfigDict(extra="ignore")

    questions: list[_Question]


@dataclass(frozen=True)
class LabelledAnswer:
    """An answer and the level that people gave it."""

    question: str
    language_code: str
    segments: tuple[Segment, ...]
    level: float

    @property
    def target(self) -> float:
        """The level as a probability: 0 is the lowest, 1 the highest."""
        return (self.level - LOWEST_LEVEL) / (HIGHEST_LEVEL - LOWEST_LEVEL)


@dataclass(frozen=True)
class Fit:
    """What came out for one set of prompts."""

    offsets: Mapping[str, Offset]
    left_out: tuple[str, ...]
    """Checks that say nothing of the level, or that the model gave no probabilities for."""
    answer_count: int


def read_labelled(path: Path, split: str = "") -> list[LabelledAnswer]:
    """Read labelled answers.

    Args:
        path: YAML: `questions`, each with `text`, `language_code` and `answers`, each with `level` (1 to 5)
            and `sentences`.
        split: Only questions of this `split`. Empty for all.

    Raises:
        InvalidInputError: The file is not of that form (`LABELLED_ANSWERS_INVALID`), or has no question of
            that split (`TOO_FEW_LABELLED_ANSWERS`).
    """
    try:
        corpus = _Corpus.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        where = error.errors()[0]["loc"] if isinstance(error, ValidationError) else path.name
        raise InvalidInputError(
            f"The labelled answers can't be read ({where}). Give a YAML file with `questions`, their "
            "`answers`, and a `level` and `sentences` for each.",
            reason="LABELLED_ANSWERS_INVALID",
        ) from error
    answers = [
        LabelledAnswer(
            question.text,
            question.language_code,
            tuple(Segment(text) for sentence in answer.sentences for text in _texts(sentence)),
            answer.level,
        )
        for question in corpus.questions
        if split in ("", question.split)
        for answer in question.answers
    ]
    if not answers:
        raise InvalidInputError(
            "There are no labelled answers to fit to. Check the file and the split.",
            reason="TOO_FEW_LABELLED_ANSWERS",
        )
    return answers


def calibrate(
    model: LanguageModel,
    prompts: Mapping[str, Prompts],
    answers: Sequence[LabelledAnswer],
    *,
    seed: int = 0,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> dict[str, Fit]:
    """Ask a model every check of every answer, and fit the offsets of each prompt version.

    Raises:
        InvalidInputError: A language has fewer than `LEAST_ANSWERS` answers (`TOO_FEW_LABELLED_ANSWERS`).
        UnavailableError: The model fails.
    """
    by_version = _by_version(prompts, answers)
    done = 0
    fits = {}
    for version, (texts, chosen) in by_version.items():
        found: list[Mapping[str, float]] = []
        for answer in chosen:
            found.append(_log_odds(model, texts, answer, seed))
            done += 1
            progress(done, len(answers))
        fits[version] = _fit_all(list(texts.checks), found, [answer.target for answer in chosen])
    return fits


def fit_offset(log_odds: Sequence[float], targets: Sequence[float]) -> Offset | None:
    """Fit a logistic curve by Newton's method on the cross-entropy, with a small ridge on the slope.

    Args:
        log_odds: Of each answer, log(P(yes) / P(no)).
        targets: Of each answer, 0 to 1.

    Returns:
        Middle and width of the curve. None where it does not rise.
    """
    slope, intercept = 0.0, 0.0
    for _ in range(STEPS):
        expected = [_sigmoid(slope * x + intercept) for x in log_odds]
        weights = [max(p * (1 - p), TOLERANCE) for p in expected]
        errors = [t - p for t, p in zip(targets, expected, strict=True)]
        gradient = (
            sum(e * x for e, x in zip(errors, log_odds, strict=True)) - RIDGE * slope,
            sum(errors),
        )
        xx = sum(w * x * x for w, x in zip(weights, log_odds, strict=True)) + RIDGE
        x1 = sum(w * x for w, x in zip(weights, log_odds, strict=True))
        ones = sum(weights)
        determinant = max(xx * ones - x1 * x1, TOLERANCE)
        step = (
            (ones * gradient[0] - x1 * gradient[1]) / determinant,
            (xx * gradient[1] - x1 * gradient[0]) / determinant,
        )
        slope, intercept = slope + step[0], intercept + step[1]
        if max(map(abs, step)) < TOLERANCE:
            break
    if not math.isfinite(slope) or slope < LEAST_SLOPE:
        return None
    return Offset(offset=round(-intercept / slope, 3), scale=round(1 / slope, 3))


def merged(text: str, model_name: str, fits: Mapping[str, Fit]) -> dict[str, Any]:
    """Return a calibration document with a model's new offsets in it. Other models stay."""
    document: dict[str, Any] = yaml.safe_load(text) or {}
    models = document.setdefault("models", {})
    models[model_name] = (models.get(model_name) or {}) | {
        version: {check_id: offset.model_dump() for check_id, offset in fit.offsets.items()}
        for version, fit in fits.items()
    }
    return document


def _by_version(
    prompts: Mapping[str, Prompts], answers: Sequence[LabelledAnswer]
) -> dict[str, tuple[Prompts, list[LabelledAnswer]]]:
    found: dict[str, tuple[Prompts, list[LabelledAnswer]]] = {}
    for answer in answers:
        texts = choose_prompts(prompts, answer.language_code)
        found.setdefault(texts.version, (texts, []))[1].append(answer)
    for version, (_, chosen) in found.items():
        if len(chosen) < LEAST_ANSWERS:
            raise InvalidInputError(
                f"There are {len(chosen)} labelled answers for the prompts '{version}'. Give at least "
                f"{LEAST_ANSWERS}, of all levels.",
                reason="TOO_FEW_LABELLED_ANSWERS",
            )
    return found


def _log_odds(
    model: LanguageModel, prompts: Prompts, answer: LabelledAnswer, seed: int
) -> Mapping[str, float]:
    sentences = _kept(answer.segments)
    conversation = Conversation(model, seed, ONE_TOKEN)
    found = {}
    for check_id in prompts.checks:
        messages = prompts.check(answer.question, sentences, (), check_id)
        reply = conversation.ask(messages, schema=None, max_tokens=ONE_TOKEN, deadline=Deadline(None))
        value = yes_log_odds(reply.tokens[0], prompts.yes_no) if reply.tokens else None
        if value is not None:
            found[check_id] = value
    return found


def _kept(segments: Sequence[Segment]) -> list[Sentence]:
    sentences = split_sentences(segments)
    left_out = find_exclusions(sentences)
    return [sentence for sentence in sentences if sentence.id not in left_out]


def _fit_all(check_ids: Sequence[str], found: Sequence[Mapping[str, float]], targets: Sequence[float]) -> Fit:
    offsets: dict[str, Offset] = {}
    for check_id in check_ids:
        pairs = [
            (log_odds[check_id], target)
            for log_odds, target in zip(found, targets, strict=True)
            if check_id in log_odds
        ]
        offset = fit_offset(*zip(*pairs, strict=True)) if len(pairs) >= LEAST_ANSWERS else None
        if offset is not None:
            offsets[check_id] = offset
    return Fit(offsets, tuple(check_id for check_id in check_ids if check_id not in offsets), len(targets))


def _texts(sentence: str | dict[str, str]) -> Iterator[str]:
    yield from [sentence] if isinstance(sentence, str) else sentence.values()


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))
