"""One answer with everything that its stages left."""

from __future__ import annotations

from typing import Any

from interview.v1 import orchestrator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.workflow import StageRecord, stages_of
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report, an_assessment


def an_answer(**changes: Any) -> AnswerOutputs:
    fields: dict[str, Any] = {
        "place": 1,
        "answer": orchestrator_pb2.AnswerInput(question="Why?", file_name="a.mp4"),
        "records": {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)},
        "extraction": orchestrator_pb2.Extraction(duration_s=6.0),
        "transcript": a_transcript(),
        "assessment": an_assessment(),
        "vision": a_vision_report(),
        "diarization": a_diarization(),
    }
    return AnswerOutputs(**(fields | changes))
