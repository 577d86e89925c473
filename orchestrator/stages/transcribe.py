"""The stage `transcribe`: the sound → what was said, by the transcriber."""

from __future__ import annotations

from interview.v1 import media_pb2, orchestrator_pb2, transcriber_pb2, transcriber_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import CAPABILITIES_TIMEOUT_S, Limits, ask, follow
from orchestrator.stages.replies import OK_OUTCOMES, check_length, check_present, check_spans
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT, TRANSCRIBE

LANGUAGES = "languages"
"""Name of the second service of this stage. It lists what can be understood."""


class Transcribe(Stage):
    """See `Stage`."""

    name = TRANSCRIBE
    output_class = transcriber_pb2.Transcript
    weight = 0.35
    defaults = Defaults(timeout_s=600.0, timeout_factor=10.0, service="transcriber", port=50051)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`."""

        async def transcribe(config: transcriber_pb2.TranscribeConfig, on_progress: OnProgress) -> object:
            method = self._stub().Transcribe
            request = transcriber_pb2.TranscribeRequest(config=config)
            return await follow(method, request, "transcript", on_progress, limits=limits)

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
        service = self.within(extraction.duration_s)
        return Call(input_hash, lambda on_progress: service(config, on_progress), extraction.duration_s)

    def check(self, output: transcriber_pb2.Transcript, recording_s: float) -> None:
        """See `Stage`."""
        super().check(output, recording_s)
        check_length(output.duration_s, recording_s)
        length_s = output.duration_s or recording_s
        check_spans(output.segments, length_s, "segments")
        for segment in output.segments:
            check_spans(segment.words, length_s, "words")
            check_present(segment.words or not segment.text, "words for a text")
        if output.outcome in OK_OUTCOMES:
            check_present(output.segments, "segments")

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
