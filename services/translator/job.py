"""What is asked of a translator and what it answers: the values that engine and backends share.

A translation is either there with `Outcome.OK`, or absent with its reason. Language codes are BCP-47.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chassis.deadline import Deadline
from chassis.model_info import ModelInfo

_WORD = re.compile(r"\w")
NO_MODEL = ModelInfo()


class Outcome(StrEnum):
    """Whether there is a translation, and why not. Names as in `media.proto`."""

    OK = "OUTCOME_OK"
    INSUFFICIENT_EVIDENCE = "OUTCOME_INSUFFICIENT_EVIDENCE"
    SERVICE_UNAVAILABLE = "OUTCOME_SERVICE_UNAVAILABLE"
    NOT_CONFIGURED = "OUTCOME_NOT_CONFIGURED"


class Doubt(StrEnum):
    """What a reader should look at in a translation that is there. It may well be right."""

    NEGATION_DOUBTFUL = "NEGATION_DOUBTFUL"
    """One side says no, and the other has no word for it."""
    QUANTITY_DOUBTFUL = "QUANTITY_DOUBTFUL"
    """A number, span of time, currency, month or day of the week differs."""


class Formality(StrEnum):
    """How polite a translation is, where language and backend know degrees."""

    UNSPECIFIED = "unspecified"
    PREFER_MORE = "prefer_more"
    PREFER_LESS = "prefer_less"


@dataclass(frozen=True)
class Job:
    """Texts to translate, in order, and how."""

    texts: tuple[str, ...]
    source_language_code: str
    target_language_code: str
    context: str = ""
    """What the texts are about. Helps the backend and is not translated."""
    formality: Formality = Formality.UNSPECIFIED
    glossary_id: str = ""


@dataclass(frozen=True)
class Translation:
    """The translation of one text, or the reason why there is none."""

    text: str | None
    outcome: Outcome = Outcome.OK
    reason: str = ""
    doubts: tuple[Doubt, ...] = ()
    """What a reader should look at. Empty for one that is absent."""

    @property
    def is_sure(self) -> bool:
        """Whether it is there and nothing about it is doubted."""
        return self.outcome is Outcome.OK and not self.doubts

    @classmethod
    def absent(cls, outcome: Outcome, reason: str) -> Translation:
        """Make a translation that is not there."""
        return cls(None, outcome, reason)


@dataclass(frozen=True)
class Translations:
    """One translation for each text, in order, and what they cost."""

    translations: tuple[Translation, ...]
    model: ModelInfo = NO_MODEL
    """What translated. Empty where nothing was needed."""
    billed_character_count: int | None = None
    """None where the backend does not say."""
    prompt_token_count: int = 0
    completion_token_count: int = 0


@dataclass(frozen=True)
class Languages:
    """What a backend translates from and to."""

    source_codes: tuple[str, ...] = ()
    target_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """How much of a backend's account is used. None where it does not say."""

    billed_character_count: int | None = None
    limit_character_count: int | None = None


class Backend(Protocol):
    """Something that translates."""

    @property
    def name(self) -> str:
        """`deepl`, `llm` or `none`."""

    @property
    def prompt_digest(self) -> str:
        """SHA-256 of its prompt's texts, lower-case hex. Empty where it takes no prompt of ours."""

    @property
    def calls_at_once(self) -> int:
        """How many batches it may be given at a time, from 1."""

    def batches(self, job: Job, wanted: Sequence[int]) -> Sequence[Sequence[int]]:
        """Cut the wanted texts, by their rising indexes, into pieces of a size that the backend takes."""

    def context_of(self, job: Job, index: int) -> str:
        """Return what else of the job shapes the translation of one text."""

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        """Translate the texts of one batch.

        Raises:
            InterviewError: Nothing of the batch could be translated, and why.
        """

    def languages(self, deadline: Deadline) -> Languages:
        """Say what can be translated."""

    def model(self) -> ModelInfo:
        """Say what translates, as far as it is known before the first call."""

    def usage(self, deadline: Deadline) -> Usage:
        """Say how much of the account is used."""


def base_language(code: str) -> str:
    """Return the language of a BCP-47 code without script and region, in lower case."""
    return re.split(r"[-_]", code.strip(), maxsplit=1)[0].lower()


def needs_translation(text: str) -> bool:
    """Tell whether a text holds anything to translate."""
    return bool(_WORD.search(text))


def neighbourhood(job: Job, first: int, last: int, neighbour_count: int) -> tuple[str, ...]:
    """Return the job's context and its texts from some before `first` to some after `last`."""
    return (job.context, *job.texts[max(0, first - neighbour_count) : last + 1 + neighbour_count])
