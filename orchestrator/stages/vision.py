"""The stage `vision`: the recording → faces, head pose, eyes, measures, by the vision service."""

from __future__ import annotations

from typing import Any

from interview.v1 import media_pb2, vision_pb2, vision_pb2_grpc
from orchestrator.stages.recording_stage import RecordingStage
from orchestrator.stages.replies import (
    OK_OUTCOMES,
    check_length,
    check_measures,
    check_present,
    check_spans,
)
from orchestrator.stages.stage import Defaults
from orchestrator.workflow import VISION


class Vision(RecordingStage):
    """See `Stage`."""

    name = VISION
    output_class = vision_pb2.VisionReport
    weight = 0.3
    defaults = Defaults(timeout_s=600.0, timeout_factor=5.0, service="vision", port=50054)
    stub_class = vision_pb2_grpc.VisionServiceStub
    capabilities_request_class = vision_pb2.VisionServiceGetCapabilitiesRequest
    request_class = vision_pb2.AnalyzeRequest
    reply_field = "report"
    hears = False

    def method(self) -> Any:
        """See `RecordingStage`."""
        return vision_pb2_grpc.VisionServiceStub(self.channel()).Analyze

    def config(self, recording: media_pb2.Recording, language_code: str) -> vision_pb2.AnalyzeConfig:
        """See `RecordingStage`."""
        return vision_pb2.AnalyzeConfig(recording=recording)

    def check(self, output: vision_pb2.VisionReport, recording_s: float) -> None:
        """See `Stage`."""
        super().check(output, recording_s)
        check_length(output.duration_s, recording_s)
        check_measures(output.measures)
        check_spans(output.observations, output.duration_s or recording_s, "observations")
        if output.outcome in OK_OUTCOMES:
            check_present(output.measures, "measures")

    def model(self, output: Any) -> Any:
        """See `Stage`. Of its models the first one looks at the face."""
        return output.models[0] if output.models else None
