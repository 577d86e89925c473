"""The stage `speaker`: the sound → whose voice speaks when, by the speaker service."""

from __future__ import annotations

from interview.v1 import media_pb2, orchestrator_pb2, speaker_pb2, speaker_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import follow
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT, SPEAKER


class Speaker(Stage):
    """See `Stage`."""

    name = SPEAKER
    output_class = speaker_pb2.Diarization
    weight = 0.1
    defaults = Defaults(timeout_s=3600.0, service="speaker", port=50055)

    def connect(self) -> Service:
        """See `Stage`."""
        stub = speaker_pb2_grpc.SpeakerServiceStub(self.channel())

        async def diarize(config: speaker_pb2.DiarizeConfig, on_progress: OnProgress) -> object:
            request = speaker_pb2.DiarizeRequest(config=config)
            return await follow(stub.Diarize, request, "diarization", on_progress, timeout_s=self.timeout_s)

        return diarize

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        extraction = await upstream.output(EXTRACT, orchestrator_pb2.Extraction)
        uri = self.parts.media.uri(extraction.audio_key)
        config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri=uri))
        input_hash = fingerprint(self.name, extraction.audio_digest)
        return Call(input_hash, lambda on_progress: self.service(config, on_progress))
