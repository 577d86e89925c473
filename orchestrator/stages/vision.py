"""The stage `vision`: the recording → faces, head pose, eyes, measures, by the vision service."""

from __future__ import annotations

from typing import Any

from interview.v1 import media_pb2, orchestrator_pb2, vision_pb2, vision_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits, follow
from orchestrator.stages.replies import (
    OK_OUTCOMES,
    check_length,
    check_measures,
    check_present,
    check_spans,
)
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT, VISION


class Vision(Stage):
    """See `Stage`."""

    name = VISION
    output_class = vision_pb2.VisionReport
    weight = 0.3
    defaults = Defaults(timeout_s=600.0, timeout_factor=5.0, service="vision", port=50054)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`."""

        async def analyze(config: vision_pb2.AnalyzeConfig, on_progress: OnProgress) -> object:
            stub = vision_pb2_grpc.VisionServiceStub(self.channel())
            request = vision_pb2.AnalyzeRequest(config=config)
            return await follow(stub.Analyze, request, "report", on_progress, limits=limits)

        return analyze

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        extraction = await upstream.output(EXTRACT, orchestrator_pb2.Extraction)
        recording = await upstream.recording(task.answer)
        config = vision_pb2.AnalyzeConfig(recording=media_pb2.Recording(uri=recording.uri))
        input_hash = fingerprint(self.name, extraction.media_digest)
        service = self.within(extraction.duration_s)
        return Call(input_hash, lambda on_progress: service(config, on_progress), extraction.duration_s)

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
