"""How a stage's end is put down: from its output, or from its error."""

from __future__ import annotations

from typing import Any

from chassis.errors import InterviewError, InvalidInputError
from interview.v1 import assessor_pb2, media_pb2, orchestrator_pb2, vision_pb2
from orchestrator import workflow
from orchestrator.workflow import StageRecord

NOT_CONFIGURED_SUFFIX = "_NOT_CONFIGURED"
"""Of reasons that say that nobody configured a backend; that is no failure."""


def outcome_name(outcome: int) -> str:
    """Return an outcome's public name; a stage that does not say means OK."""
    name = str(media_pb2.Outcome.Name(outcome)).removeprefix("OUTCOME_")
    return workflow.OK if name == "UNSPECIFIED" else name


def done_record(
    stage: str, output: Any, attempt_count: int, queue_s: float, run_s: float, key: str
) -> StageRecord:
    """Put down a stage that answered."""
    if stage == workflow.TRANSLATE and _not_configured(output):
        return StageRecord(
            stage,
            "skipped",
            workflow.NOT_CONFIGURED,
            "TRANSLATOR_NOT_CONFIGURED",
            "No translator is configured.",
        )
    outcome = outcome_name(output.outcome) if hasattr(output, "outcome") else workflow.OK
    if outcome == workflow.SERVICE_UNAVAILABLE:
        # A stage may answer that its model is away. That is not kept, so that a retry asks again.
        return StageRecord(
            stage,
            "failed",
            outcome,
            "MODEL_UNAVAILABLE",
            output.reason or "The stage's model can't be reached; retry the session later.",
            attempt_count=attempt_count,
            queue_s=round(queue_s, 3),
            run_s=round(run_s, 3),
        )
    return StageRecord(
        stage,
        "done",
        outcome,
        message=getattr(output, "reason", ""),
        output_key=key,
        attempt_count=attempt_count,
        queue_s=round(queue_s, 3),
        run_s=round(run_s, 3),
        model=_model(output),
    )


def _not_configured(translations: orchestrator_pb2.AnswerTranslations) -> bool:
    outcomes = {entry.outcome for language in translations.languages for entry in language.translations}
    return media_pb2.OUTCOME_NOT_CONFIGURED in outcomes and outcomes <= {
        media_pb2.OUTCOME_NOT_CONFIGURED,
        media_pb2.OUTCOME_SKIPPED,
    }


def failed_record(
    stage: str, error: InterviewError, attempt_count: int, queue_s: float, run_s: float
) -> StageRecord:
    """Put down a stage whose last attempt failed."""
    if error.reason.endswith(NOT_CONFIGURED_SUFFIX):
        return StageRecord(stage, "skipped", workflow.NOT_CONFIGURED, error.reason, error.message)
    # The caller's error stays one: whoever sees SERVICE_UNAVAILABLE tries again.
    invalid = isinstance(error, InvalidInputError)
    return StageRecord(
        stage,
        "failed",
        workflow.INVALID_INPUT if invalid else workflow.SERVICE_UNAVAILABLE,
        error.reason,
        error.message,
        attempt_count=attempt_count,
        queue_s=round(queue_s, 3),
        run_s=round(run_s, 3),
    )


def _model(output: Any) -> dict[str, str]:
    """Return the model behind an output; vision has several, of which the first looks at the face."""
    if isinstance(output, vision_pb2.VisionReport):
        model = output.models[0] if output.models else None
    elif isinstance(output, assessor_pb2.Assessment):
        model = output.provenance.model
    else:
        model = getattr(output, "model", None)
    if model is None or not model.name:
        return {}
    return {"name": model.name, "version": model.version, "digest": model.digest, "device": model.device}
