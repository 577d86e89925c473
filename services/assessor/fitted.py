"""Reads what was fitted to labelled answers: weights for kinds of sentences, and for a level.

The files are data, written by `python -m benchmarks.assessor.fit`. Nothing of what fits them is needed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.assessor import account
from services.assessor.tags import Tag
from services.assessor.yaml_text import parsed

FITTED_DIR = Path(__file__).parent / "fitted"
BASELINE = "baseline"
"""The file for word lists. Those for models carry the models' names."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Part):
    """What the weights rest on, so that they can be made again."""

    date: str
    corpus_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 over the answers' files in the order of their names."""
    answer_count: Annotated[int, Field(gt=0)]
    authors: tuple[str, ...]
    folds: str
    figures: Mapping[str, float]
    """Of answers whose authors were left out of the fit."""


class Kind(_Part):
    """Weights for one kind of sentence."""

    intercept: float
    cues: Mapping[str, float]
    said: Mapping[Tag, float]
    """Of the log-probability that a method gives each tag."""


class Fitted(_Part):
    """Everything that was fitted for one way of tagging."""

    prompt_versions: tuple[str, ...]
    """The prompts that the model was asked with. Empty without a model."""
    origin: Origin
    kinds: Mapping[Tag, Kind]
    figures: Mapping[str, float]
    thresholds: tuple[float, float, float, float]

    @model_validator(mode="after")
    def _whole(self) -> Fitted:
        if set(self.kinds) != set(Tag) or set(self.figures) != set(account.names()):
            raise ValueError("give weights for every tag and every figure")
        if list(self.thresholds) != sorted(set(self.thresholds)):
            raise ValueError("thresholds rise")
        return self


def read_fitted(name: str = BASELINE, directory: Path = FITTED_DIR) -> Fitted | None:
    """Read what was fitted for word lists or for a model. None where nothing was."""
    known = {path.stem: path for path in directory.glob("*.yaml")}  # A name is never put into a path.
    return Fitted.model_validate(parsed(known[name].read_text(encoding="utf-8"))) if name in known else None
