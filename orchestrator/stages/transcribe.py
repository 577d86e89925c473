"""The stage `transcribe`: the sound → what was said, by the transcriber."""

from __future__ import annotations

from interview.v1 import media_pb2, orchestrator_pb2, transcriber_pb2, transcriber_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import CAPABILITIES_TIMEOUT_S, ask, follow
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT, TRANSCRIBE

LANGUAGES = "languages"
"""Name of the second service of this stage. It lists what can be understood."""


class Transcribe(Stage):
    """See `Stage`."""

    name = TRANSCRIBE
    output_class = transcriber_pb2.Transcript
    weight = 0.35
    defaults = Defaults(timeout_s=7200.0, service="transcriber", port=50051)

    def connect(self) -> Service:
        """See `Stage`."""
        timeout_s = self.timeout_s

        async def transcribe(config: transcriber_pb2.TranscribeConfig, on_progress: OnProgress) -> object:
            method = self._stub().Transcribe
            request = transcriber_pb2.TranscribeRequest(config=config)
            return await follow(method, request, "transcript", on_progress, timeout_s=timeout_s)

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

    async def language_codes(self) -> tuple[str, ...]:
        """Return the languages that the loaded model understands (BCP-47).

        Raises:
            InterviewError: The transcriber can't be asked.
        """
        if (stand_in := self.parts.services.get(LANGUAGES)) is not None:
            return tuple(await stand_in(None, lambda _: None))
        request = transcriber_pb2.TranscriberServiceGetCapabilitiesRequest()
        reply = await ask(self._stub().GetCapabilities, request, timeout_s=CAPABILITIES_TIMEOUT_S)
        return tuple(reply.language_codes)

    def _stub(self) -> transcriber_pb2_grpc.TranscriberServiceStub:
        return transcriber_pb2_grpc.TranscriberServiceStub(self.channel())
