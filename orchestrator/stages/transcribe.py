"""The stage `transcribe`: the sound → what was said, by the transcriber."""

from __future__ import annotations

from typing import Any

from interview.v1 import media_pb2, transcriber_pb2, transcriber_pb2_grpc
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.recording_stage import RecordingStage
from orchestrator.stages.remote import CAPABILITIES_TIMEOUT_S, ask
from orchestrator.stages.replies import OK_OUTCOMES, check_length, check_present, check_spans
from orchestrator.stages.stage import Defaults
from orchestrator.workflow import TRANSCRIBE

LANGUAGES = "languages"
"""Name of the second service of this stage. It lists what can be understood."""


class Transcribe(RecordingStage):
    """See `Stage`."""

    name = TRANSCRIBE
    output_class = transcriber_pb2.Transcript
    weight = 0.35
    defaults = Defaults(timeout_s=600.0, timeout_factor=10.0, service="transcriber", port=50051)
    stub_class = transcriber_pb2_grpc.TranscriberServiceStub
    capabilities_request_class = transcriber_pb2.TranscriberServiceGetCapabilitiesRequest
    request_class = transcriber_pb2.TranscribeRequest
    reply_field = "transcript"
    hears = True

    def method(self) -> Any:
        """See `RecordingStage`."""
        return self._stub().Transcribe

    def config(self, recording: media_pb2.Recording, language_code: str) -> transcriber_pb2.TranscribeConfig:
        """See `RecordingStage`."""
        return transcriber_pb2.TranscribeConfig(recording=recording, language_code=language_code)

    def input_hash(self, digest: str, language_code: str) -> str:
        """See `RecordingStage`."""
        return fingerprint(self.name, digest, language_code)

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
