"""How a stage's failure is put down: the caller's error is told from ours."""

from __future__ import annotations

import pytest

from chassis.errors import DeadlineError, ExhaustedError, InterviewError, InvalidInputError, UnavailableError
from orchestrator.running.records import failed_record
from orchestrator.workflow import StageRecord


@pytest.mark.parametrize("reason", ["MEDIA_UNDECODABLE", "MEDIA_TOO_LONG", "LANGUAGE_UNSUPPORTED"])
def test_what_the_caller_sent_and_can_not_be_used_is_invalid_input(reason: str) -> None:
    record = failed_record("extract", InvalidInputError("Send another file.", reason=reason), 1, 0.5, 2.0)

    assert (record.state, record.outcome, record.reason) == ("failed", "INVALID_INPUT", reason)
    assert StageRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("error", [UnavailableError, ExhaustedError, DeadlineError])
def test_what_may_pass_is_service_unavailable(error: type[InterviewError]) -> None:
    assert (
        failed_record("vision", error("Later.", reason="BUSY"), 3, 0.0, 1.0).outcome == "SERVICE_UNAVAILABLE"
    )
