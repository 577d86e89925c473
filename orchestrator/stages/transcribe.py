"""The stage `transcribe`: the sound → what was said, by the transcriber."""

from __future__ import annotations

from interview.v1 import media_pb2, orchestrator_pb2, transcriber_pb2, transcriber_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import follow
from orchestrator.stages.stage import Call, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT, TRANSCRIBE


class Transcribe(Stage):
    """See `Stage`."""

    name = TRANSCRIBE
    output_class = transcriber_pb2.Transcript
    weight = 0.35

    def connect(self) -> Service:
        """See `Stage`."""
        settings = self.parts.settings
        stub = transcriber_pb2_grpc.TranscriberServiceStub(
            self.parts.channels.to(settings.transcriber_address)
        )

        async def transcribe(config: transcriber_pb2.TranscribeConfig, on_progress: OnProgress) -> object:
            request = transcriber_pb2.TranscribeRequest(config=config)
            timeout_s = settings.transcribe_timeout_s
            return await follow(stub.Transcribe, request, "transcript", on_progress, timeout_s=timeout_s)

        return transcribe

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        extraction = await upstream.output(EXTRACT, orchestrator_pb2.Extraction)
        language_code = task.session.language_code
        config = transcriber_pb2.TranscribeConfig(
            recording=media_pb2.Recording(uri=self.parts.media.uri(extraction.audio_key)),
            language_code=language_code,
        )
        input_hash = fingerprint(self.name, extraction.audio_digest, language_code)
        return Call(input_hash, lambda on_progress: self.service(config, on_progress))
