"""The five services as five async functions. The only file that holds stubs.

Every call has a deadline; errors come back as `chassis.errors`; leaving a call cancels it there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from chassis.client import NO_RETRY, open_channel, stream, unary
from chassis.errors import UnavailableError
from interview.v1 import (
    assessor_pb2,
    assessor_pb2_grpc,
    media_pb2,
    speaker_pb2,
    speaker_pb2_grpc,
    transcriber_pb2,
    transcriber_pb2_grpc,
    translator_pb2,
    translator_pb2_grpc,
    vision_pb2,
    vision_pb2_grpc,
)
from orchestrator.settings import OrchestratorSettings

OnProgress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""

CAPABILITIES_TIMEOUT_S = 5.0
"""A stage keeps in memory what it can do, and a caller waits."""


class Stages(Protocol):
    """What the orchestrator asks of the stages; a test passes a fake."""

    async def transcribe(
        self, config: transcriber_pb2.TranscribeConfig, on_progress: OnProgress
    ) -> transcriber_pb2.Transcript:
        """Write down what is said."""
        ...

    async def translate(self, request: translator_pb2.TranslateRequest) -> translator_pb2.TranslateResponse:
        """Translate texts."""
        ...

    async def assess(self, request: assessor_pb2.AssessRequest) -> assessor_pb2.Assessment:
        """Judge an answer by its words."""
        ...

    async def language_codes(self) -> tuple[str, ...]:
        """Return the languages that the loaded model of the transcriber understands (BCP-47)."""
        ...

    async def rubric_ids(self) -> tuple[str, ...]:
        """Return the rubrics that can be judged by."""
        ...

    async def analyze(
        self, config: vision_pb2.AnalyzeConfig, on_progress: OnProgress
    ) -> vision_pb2.VisionReport:
        """Look at the picture."""
        ...

    async def diarize(
        self, config: speaker_pb2.DiarizeConfig, on_progress: OnProgress
    ) -> speaker_pb2.Diarization:
        """Tell voices apart."""
        ...


class RemoteStages:
    """The real stages, over gRPC. Build it inside the running event loop.

    Args:
        settings: Addresses and times.
    """

    def __init__(self, settings: OrchestratorSettings) -> None:
        self._settings = settings
        self._channels = [
            open_channel(address)
            for address in (
                settings.transcriber_address,
                settings.translator_address,
                settings.assessor_address,
                settings.vision_address,
                settings.speaker_address,
            )
        ]
        transcriber, translator, assessor, vision, speaker = self._channels
        self._transcriber = transcriber_pb2_grpc.TranscriberServiceStub(transcriber)
        self._translator = translator_pb2_grpc.TranslatorServiceStub(translator)
        self._assessor = assessor_pb2_grpc.AssessorServiceStub(assessor)
        self._vision = vision_pb2_grpc.VisionServiceStub(vision)
        self._speaker = speaker_pb2_grpc.SpeakerServiceStub(speaker)

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels:
            await channel.close()

    async def transcribe(
        self, config: transcriber_pb2.TranscribeConfig, on_progress: OnProgress
    ) -> transcriber_pb2.Transcript:
        """See `Stages`."""
        request = transcriber_pb2.TranscribeRequest(config=config)
        replies = stream(
            self._transcriber.Transcribe, _once(request), timeout_s=self._settings.transcribe_timeout_s
        )
        transcript: transcriber_pb2.Transcript = await _last(replies, "transcript", on_progress)
        return transcript

    async def translate(self, request: translator_pb2.TranslateRequest) -> translator_pb2.TranslateResponse:
        """See `Stages`."""
        return await unary(
            self._translator.Translate,
            request,
            timeout_s=self._settings.translate_timeout_s,
            retry=NO_RETRY,
        )

    async def assess(self, request: assessor_pb2.AssessRequest) -> assessor_pb2.Assessment:
        """See `Stages`."""
        reply = await unary(
            self._assessor.Assess, request, timeout_s=self._settings.assess_timeout_s, retry=NO_RETRY
        )
        assessment: assessor_pb2.Assessment = reply.assessment
        return assessment

    async def language_codes(self) -> tuple[str, ...]:
        """See `Stages`."""
        request = transcriber_pb2.TranscriberServiceGetCapabilitiesRequest()
        reply = await unary(
            self._transcriber.GetCapabilities, request, timeout_s=CAPABILITIES_TIMEOUT_S, retry=NO_RETRY
        )
        return tuple(reply.language_codes)

    async def rubric_ids(self) -> tuple[str, ...]:
        """See `Stages`."""
        request = assessor_pb2.AssessorServiceGetCapabilitiesRequest()
        reply = await unary(
            self._assessor.GetCapabilities, request, timeout_s=CAPABILITIES_TIMEOUT_S, retry=NO_RETRY
        )
        return tuple(reply.rubric_ids)

    async def analyze(
        self, config: vision_pb2.AnalyzeConfig, on_progress: OnProgress
    ) -> vision_pb2.VisionReport:
        """See `Stages`."""
        request = vision_pb2.AnalyzeRequest(config=config)
        replies = stream(self._vision.Analyze, _once(request), timeout_s=self._settings.vision_timeout_s)
        report: vision_pb2.VisionReport = await _last(replies, "report", on_progress)
        return report

    async def diarize(
        self, config: speaker_pb2.DiarizeConfig, on_progress: OnProgress
    ) -> speaker_pb2.Diarization:
        """See `Stages`."""
        request = speaker_pb2.DiarizeRequest(config=config)
        replies = stream(self._speaker.Diarize, _once(request), timeout_s=self._settings.speaker_timeout_s)
        diarization: speaker_pb2.Diarization = await _last(replies, "diarization", on_progress)
        return diarization


async def _once(request: Any) -> AsyncIterator[Any]:
    yield request


async def _last(replies: AsyncIterator[Any], wanted: str, on_progress: OnProgress) -> Any:
    """Follow a stream of replies to the message that completes it."""
    async for reply in replies:
        event = reply.WhichOneof("event")
        if event == wanted:
            return getattr(reply, wanted)
        if event == "progress" and (ratio := done_ratio(reply.progress)) is not None:
            on_progress(ratio)
    # A server that goes away in mid-stream may end it without an error.
    raise UnavailableError(
        "The stage ended its reply before it was complete; try again.", reason="REPLY_INCOMPLETE"
    )


def done_ratio(progress: media_pb2.Progress) -> float | None:
    """Return the share that is done, 0 to 1, or None where it can't be told."""
    if progress.HasField("done_ratio"):
        ratio = progress.done_ratio
    elif progress.HasField("total_s") and progress.total_s > 0:
        ratio = progress.done_s / progress.total_s
    else:
        return None
    return float(min(1.0, max(0.0, ratio)))
