"""Reads rubrics from YAML: criteria, the text of their levels, and the rule from tags to a level.

A rubric is checked whole when it is read, so that a running service holds valid ones only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chassis.errors import InvalidInputError, PreconditionError, listed
from services.assessor.tags import Tag
from services.assessor.yaml_text import parsed

DEFAULT_RUBRIC_ID = "general"
RUBRICS_DIR = Path(__file__).parent / "rubrics"
LOWEST_LEVEL = 1.0
HIGHEST_LEVEL = 5.0

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Tags = Annotated[tuple[Tag, ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """One text in the languages that readers may ask for."""

    en: Annotated[str, Field(min_length=1)]
    id: Annotated[str, Field(min_length=1)]

    def in_language(self, language: str) -> str:
        """Give the text in `en` or `id`."""
        return self.id if language == "id" else self.en


class Term(_Part):
    """One summand of a rule: `weight` times a figure from 0 to 1 over the tags.

    `share`: mean probability of the tags. `any`: probability that at least one sentence has one.
    `count`: expected number of such sentences, at most 1. `several`: the same beyond the first, two more
    being all. `parts`: how many different ones of the
    tags are there, beyond the first, as a share. `order`: share of their pairs that stand in the
    order of `tags`.
    """

    of: Literal["share", "any", "count", "several", "parts", "order"]
    tags: Tags
    weight: float
    beside: Tag | None = None
    """Counts only so far as a sentence with this tag is there."""


class Rule(_Part):
    """The level before clipping to 1–5: `base` plus the terms."""

    base: float
    terms: Annotated[tuple[Term, ...], Field(min_length=1)]


class RemarkRule(_Part):
    """A remark for a reader, made `when` one of the tags is there, or `without` any of them."""

    text: Text
    when: tuple[Tag, ...] = ()
    without: tuple[Tag, ...] = ()
    from_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """With `when`: from this share of the sentences on."""

    @model_validator(mode="after")
    def _one_condition(self) -> RemarkRule:
        if bool(self.when) == bool(self.without):
            raise ValueError("a remark has either `when` or `without`")
        return self


class Criterion(_Part):
    """One thing that is judged."""

    id: Identifier
    name: Text
    weight: Annotated[float, Field(gt=0)]
    levels: Mapping[Literal[1, 2, 3, 4, 5], Text]
    rule: Rule
    evidence: Annotated[tuple[Tags, ...], Field(min_length=1)]
    """Groups of tags whose sentences may carry the level. The first group that occurs does."""
    fitted: bool = False
    """Whether its level is read from what was fitted to labelled answers, where that was done for whoever
    tags the sentences. The rule stands in otherwise."""
    least_sentences: Annotated[int, Field(ge=1)] = 1
    checks: tuple[Identifier, ...] = ()
    """Yes-or-no questions that are asked beside the tags where the model is calibrated for them."""
    baseline: Literal["tags", "question_words"] = "tags"
    """What the baseline rests this on: its tags, or the words that it shares with the question."""
    strengths: tuple[RemarkRule, ...]
    gaps: tuple[RemarkRule, ...]

    @model_validator(mode="after")
    def _every_level_described(self) -> Criterion:
        if set(self.levels) != {1, 2, 3, 4, 5}:
            raise ValueError("describe each of the levels 1 to 5")
        return self


class RubricBody(_Part):
    """A rubric as its file states it."""

    id: Identifier
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    name: Text
    max_spread_levels: Annotated[float, Field(gt=0)]
    """A level that is less certain than this is not given."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _criteria_differ(self) -> RubricBody:
        if len({criterion.id for criterion in self.criteria}) != len(self.criteria):
            raise ValueError("two criteria have the same id")
        return self


class Rubric(RubricBody):
    """A rubric with the SHA-256 of the file that it was read from."""

    digest: str


def read_rubric(path: Path) -> Rubric:
    """Read and check one rubric file.

    Raises:
        PreconditionError: The file is not a valid rubric. The message says where.
    """
    content = path.read_bytes()
    try:
        body = RubricBody.model_validate(parsed(content))
    except (yaml.YAMLError, ValidationError) as error:
        raise PreconditionError(
            f"Correct the rubric {path.name}: {error}", reason="RUBRIC_INVALID"
        ) from error
    return Rubric.model_construct(**dict(body), digest=hashlib.sha256(content).hexdigest())


def read_rubrics(*directories: Path) -> dict[str, Rubric]:
    """Read every rubric of some folders by id. A later folder replaces an earlier one's."""
    files = [path for directory in directories for path in sorted(directory.glob("*.yaml"))]
    return {rubric.id: rubric for rubric in map(read_rubric, files)}


def choose_rubric(rubrics: Mapping[str, Rubric], rubric_id: str) -> Rubric:
    """Find a rubric. An empty id means the default.

    Raises:
        InvalidInputError: There is none with that id.
    """
    rubric = rubrics.get(rubric_id or DEFAULT_RUBRIC_ID)
    if rubric is None:
        known = listed(sorted(rubrics))
        raise InvalidInputError(
            f"Ask for one of the rubrics {known}.",
            reason="RUBRIC_UNKNOWN",
            fields={"rubric_id": f"one of {known}"},
        )
    return rubric
