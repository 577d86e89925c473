"""The stage `speaker`: the sound → whose voice speaks when, by the speaker service."""

from __future__ import annotations

from interview.v1 import media_pb2, orchestrator_pb2, speaker_pb2, speaker_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits, follow
from orchestrator.stages.replies import OK_OUTCOMES, check_length, check_present, check_spans
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT, SPEAKER


class Speaker(Stage):
    """See `Stage`."""

    name = SPEAKER
    output_class = speaker_pb2.Diarization
    weight = 0.1
    defaults = Defaults(timeout_s=600.0, timeout_factor=5.0, service="speaker", port=50055)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`."""

        async def diarize(config: speaker_pb2.DiarizeConfig, on_progress: OnProgress) -> object:
            stub = speaker_pb2_grpc.SpeakerServiceStub(self.channel())
            request = speaker_pb2.DiarizeRequest(config=config)
            return await follow(stub.Diarize, request, "diarization", on_progress, limits=limits)

        return diarize

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        extraction = await upstream.output(EXTRACT, orchestrator_pb2.Extraction)
        uri = self.parts.media.uri(extraction.audio_key)
        config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri=uri))
        input_hash = fingerprint(self.name, extraction.audio_digest)
        service = self.within(extraction.duration_s)
        return Call(input_hash, lambda on_progress: service(config, on_progress), extraction.duration_s)

    def check(self, output: speaker_pb2.Diarization, recording_s: float) -> None:
        """See `Stage`."""
        super().check(output, recording_s)
        check_length(output.duration_s, recording_s)
        length_s = output.duration_s or recording_s
        check_spans(output.turns, length_s, "turns")
        check_spans(output.observations, length_s, "observations")
        if output.outcome in OK_OUTCOMES:
            check_present(output.HasField("voice_count"), "number of voices")
