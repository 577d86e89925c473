"""How a stage's end is put down: from its output, or from its error."""

from __future__ import annotations

import logging
from typing import Any

from chassis.errors import InterviewError, InvalidInputError
from chassis.telemetry import STAGE_SECONDS
from orchestrator import workflow
from orchestrator.outcomes import outcome_name
from orchestrator.stages.stage import Stage
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

NOT_CONFIGURED_SUFFIX = "_NOT_CONFIGURED"
"""Of reasons that say that nobody configured a backend. That is not a failure."""


def done_record(
    stage: Stage, output: Any, attempt_count: int, queue_s: float, run_s: float, key: str
) -> StageRecord:
    """Put down a stage that answered."""
    if (refusal := stage.refusal(output)) is not None:
        return failed_record(stage.name, refusal, attempt_count, queue_s, run_s)
    outcome = outcome_name(output.outcome) if hasattr(output, "outcome") else workflow.OK
    if outcome == workflow.SERVICE_UNAVAILABLE:
        # A stage may answer that its model is away. That is not kept, so that a retry asks again.
        return StageRecord(
            stage.name,
            "failed",
            outcome,
            "MODEL_UNAVAILABLE",
            output.reason or "The stage's model can't be reached. Retry the session later.",
            attempt_count=attempt_count,
            queue_s=round(queue_s, 3),
            run_s=round(run_s, 3),
        )
    return StageRecord(
        stage.name,
        "done",
        outcome,
        message=getattr(output, "reason", ""),
        output_key=key,
        attempt_count=attempt_count,
        queue_s=round(queue_s, 3),
        run_s=round(run_s, 3),
        model=_model(stage.model(output)),
    )


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


def _model(model: Any) -> dict[str, str]:
    if model is None or not model.name:
        return {}
    return {"name": model.name, "version": model.version, "digest": model.digest, "device": model.device}


def broken_record(stage: str) -> StageRecord:
    """Put down a stage that a bug of ours brought down."""
    return StageRecord(
        stage,
        "failed",
        workflow.SERVICE_UNAVAILABLE,
        "INTERNAL",
        "Something went wrong on our side. The log has it.",
    )


def accounted(record: StageRecord) -> StageRecord:
    """Count a record in the metrics, log it, and return it."""
    STAGE_SECONDS.labels(record.stage, record.outcome).observe(record.run_s)
    shown = ("stage", "state", "outcome", "reason", "attempt_count", "queue_s", "run_s")
    logger.info("stage", extra={name: getattr(record, name) for name in shown})
    return record
