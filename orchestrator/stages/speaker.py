"""The stage `speaker`: the sound → whose voice speaks when, by the speaker service."""

from __future__ import annotations

from typing import Any

from interview.v1 import media_pb2, speaker_pb2, speaker_pb2_grpc
from orchestrator.stages.recording_stage import RecordingStage
from orchestrator.stages.replies import OK_OUTCOMES, check_length, check_present, check_spans
from orchestrator.stages.stage import Defaults
from orchestrator.workflow import SPEAKER


class Speaker(RecordingStage):
    """See `Stage`."""

    name = SPEAKER
    output_class = speaker_pb2.Diarization
    weight = 0.1
    defaults = Defaults(timeout_s=600.0, timeout_factor=5.0, service="speaker", port=50055)
    stub_class = speaker_pb2_grpc.SpeakerServiceStub
    capabilities_request_class = speaker_pb2.SpeakerServiceGetCapabilitiesRequest
    request_class = speaker_pb2.DiarizeRequest
    reply_field = "diarization"
    hears = True

    def method(self) -> Any:
        """See `RecordingStage`."""
        return speaker_pb2_grpc.SpeakerServiceStub(self.channel()).Diarize

    def config(self, recording: media_pb2.Recording, language_code: str) -> speaker_pb2.DiarizeConfig:
        """See `RecordingStage`."""
        return speaker_pb2.DiarizeConfig(recording=recording)

    def check(self, output: speaker_pb2.Diarization, recording_s: float) -> None:
        """See `Stage`."""
        super().check(output, recording_s)
        check_length(output.duration_s, recording_s)
        length_s = output.duration_s or recording_s
        check_spans(output.turns, length_s, "turns")
        check_spans(output.observations, length_s, "observations")
        if output.outcome in OK_OUTCOMES:
            check_present(output.HasField("voice_count"), "number of voices")
