"""The judgement on one answer, as the engine hands it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from services.assessor.tags import TaggedSentence


class Outcome(StrEnum):
    """Whether something could be judged."""

    OK = "OK"
    INSUFFICIENT_EVIDENCE = "INSUFFICIENT_EVIDENCE"


class Method(StrEnum):
    """How a judgement came about."""

    LLM = "llm"
    BASELINE = "baseline"


@dataclass(frozen=True)
class Remark:
    """A remark for a reader with the sentences that it rests on."""

    text: str
    sentence_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class CriterionAssessment:
    """The judgement on one criterion. It has a level only with evidence."""

    id: str
    name: str
    outcome: Outcome
    reason: str = ""
    level: float | None = None
    """1.0 to 5.0."""
    score: float | None = None
    """The level as 0 to 100."""
    evidence_sentence_ids: tuple[str, ...] = ()
    strengths: tuple[Remark, ...] = ()
    gaps: tuple[Remark, ...] = ()
    spread_levels: float | None = None
    """Standard deviation of the level over tag probabilities."""
    weight_ratio: float | None = None
    """Its share of the weights of the rubric's criteria, 0 to 1."""


@dataclass(frozen=True)
class Provenance:
    """What a judgement rests on, so that it can be repeated."""

    rubric_id: str
    rubric_version: str
    rubric_digest: str
    model_name: str = ""
    model_version: str = ""
    model_digest: str = ""
    model_device: str = ""
    prompt_version: str = ""
    prompt_digest: str = ""
    """SHA-256 of the file of prompts. Empty without a model."""
    seed: int | None = None
    prompt_token_count: int | None = None
    completion_token_count: int | None = None
    token_probabilities: bool = False


@dataclass(frozen=True)
class Assessment:
    """The judgement on one answer."""

    method: Method
    outcome: Outcome
    provenance: Provenance
    reason: str = ""
    sentences: tuple[TaggedSentence, ...] = ()
    criteria: tuple[CriterionAssessment, ...] = ()
    total_score: float | None = None
    conclusion: str | None = None
    conclusion_absent_reason: str = field(default="")
