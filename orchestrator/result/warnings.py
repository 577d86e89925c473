"""Pure: what a reader should know before trusting a recording's figures, from every stage that says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.values import Json, optional
from orchestrator.workflow import EXTRACT, SPEAKER, TRANSCRIBE, VISION

NOTE = "NOTE"
"""The kind of a sentence that a stage says without naming a kind or a time."""


@dataclass(frozen=True)
class _Warning:
    stage: str
    kind: str
    message: str
    start_s: float | None = None
    end_s: float | None = None

    @property
    def identity(self) -> tuple[str, object]:
        """What makes it the same as another stage's warning."""
        return (self.kind, self.message if self.kind == NOTE else self.start_s)


def warnings_of(outputs: AnswerOutputs) -> list[Json]:
    """Return the warnings of all stages. What two stages say of one thing stands once.

    Those without a place in time come first, then the others in time order.
    """
    sources = (
        (EXTRACT, outputs.extraction),
        (VISION, outputs.vision),
        (TRANSCRIBE, outputs.transcript),
        (SPEAKER, outputs.diarization),
        *outputs.further.items(),
    )
    found: dict[tuple[str, object], _Warning] = {}
    for stage, output in sources:
        for warning in _said(stage, output) if output is not None else ():
            found.setdefault(warning.identity, warning)
    ordered = sorted(found.values(), key=lambda warning: -1.0 if warning.start_s is None else warning.start_s)
    return [
        {
            "stage": warning.stage,
            "kind": warning.kind,
            "message": warning.message,
            "start_s": warning.start_s,
            "end_s": warning.end_s,
        }
        for warning in ordered
    ]


def _said(stage: str, output: Any) -> Iterable[_Warning]:
    for one in getattr(output, "recording_warnings", ()):
        yield _Warning(stage, one.kind, one.message, optional(one, "start_s", 3), optional(one, "end_s", 3))
    for sentence in getattr(output, "warnings", ()):
        yield _Warning(stage, NOTE, sentence)
