"""The transcriber on the wire: unpack, call the engine, pack. No decisions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import grpc

from chassis.media import MediaInbox
from chassis.models import Model
from chassis.playback.messages import to_messages
from chassis.telemetry import REAL_TIME_FACTOR
from chassis.workers import Workers
from interview.v1 import media_pb2, transcriber_pb2, transcriber_pb2_grpc
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import (
    Event,
    Flag,
    Progress,
    Segment,
    Transcript,
    TranscriptOutcome,
    Word,
)

FLAGS = {
    Flag.REPETITION: transcriber_pb2.SEGMENT_FLAG_REPETITION,
    Flag.HIGH_COMPRESSION: transcriber_pb2.SEGMENT_FLAG_HIGH_COMPRESSION,
    Flag.LOW_PROBABILITY: transcriber_pb2.SEGMENT_FLAG_LOW_PROBABILITY,
    Flag.NO_SPEECH: transcriber_pb2.SEGMENT_FLAG_NO_SPEECH,
    Flag.UNEXPECTED_LANGUAGE: transcriber_pb2.SEGMENT_FLAG_UNEXPECTED_LANGUAGE,
}
OUTCOMES = {
    TranscriptOutcome.OK: media_pb2.OUTCOME_OK,
    TranscriptOutcome.NO_SPEECH: media_pb2.OUTCOME_NO_SPEECH,
    TranscriptOutcome.INSUFFICIENT_EVIDENCE: media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE,
}


SERVICE_NAME: str = transcriber_pb2.DESCRIPTOR.services_by_name["TranscriberService"].full_name


@dataclass(frozen=True)
class Capabilities:
    """What a caller may know about this process."""

    model: Model
    device: str
    """`cpu` or `cuda`."""
    max_media_bytes: int
    worker_count: int


class TranscriberServicer(transcriber_pb2_grpc.TranscriberServiceServicer):
    """Serves one `Transcriber`."""

    def __init__(
        self, transcriber: Transcriber, workers: Workers, inbox: MediaInbox, capabilities: Capabilities
    ) -> None:
        self._transcriber = transcriber
        self._workers = workers
        self._inbox = inbox
        self._capabilities = capabilities
        self._model = media_pb2.ModelInfo(
            name=capabilities.model.name,
            version=capabilities.model.version,
            digest=capabilities.model.digest,
            device=capabilities.device,
        )

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to a server."""
        transcriber_pb2_grpc.add_TranscriberServiceServicer_to_server(self, server)

    async def Transcribe(
        self,
        request_iterator: AsyncIterator[transcriber_pb2.TranscribeRequest],
        _context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[transcriber_pb2.TranscribeResponse]:
        """See `protos/interview/v1/transcriber.proto`."""
        async with self._inbox.receive_growing(request_iterator, check=self._check) as (config, arriving):
            work = partial(self._transcriber.transcribe, arriving.path, _options(config))
            async for event in arriving.events(self._workers.stream(work)):
                yield self._response(event)

    async def GetCapabilities(
        self,
        _request: transcriber_pb2.TranscriberServiceGetCapabilitiesRequest,
        _context: grpc.aio.ServicerContext,
    ) -> transcriber_pb2.TranscriberServiceGetCapabilitiesResponse:
        """See `protos/interview/v1/transcriber.proto`."""
        return transcriber_pb2.TranscriberServiceGetCapabilitiesResponse(
            model=self._model,
            language_codes=self._transcriber.language_codes,
            max_media_bytes=self._capabilities.max_media_bytes,
            worker_count=self._capabilities.worker_count,
        )

    async def _check(self, config: transcriber_pb2.TranscribeConfig) -> None:
        self._transcriber.check(_options(config))

    def _response(self, event: Event) -> transcriber_pb2.TranscribeResponse:
        match event:
            case Progress():
                return transcriber_pb2.TranscribeResponse(progress=_progress(event))
            case Segment():
                return transcriber_pb2.TranscribeResponse(segment=_segment(event))
            case Transcript():
                REAL_TIME_FACTOR.observe(event.real_time_factor_ratio)
                return transcriber_pb2.TranscribeResponse(transcript=_transcript(event, self._model))


def _options(config: transcriber_pb2.TranscribeConfig) -> TranscribeOptions:
    return TranscribeOptions(
        language_code=config.language_code,
        task="translate" if config.task == transcriber_pb2.TRANSCRIBE_TASK_TRANSLATE else "transcribe",
        beam_size=config.beam_size if config.HasField("beam_size") else None,
        hotwords=config.hotwords,
        prompt=config.prompt,
        vad_disabled=config.vad_disabled,
    )


def _progress(progress: Progress) -> media_pb2.Progress:
    done_ratio = min(1.0, progress.done_s / progress.total_s) if progress.total_s else None
    return media_pb2.Progress(done_s=progress.done_s, total_s=progress.total_s, done_ratio=done_ratio)


def _word(word: Word) -> media_pb2.Word:
    return media_pb2.Word(
        start_s=word.start_s,
        end_s=word.end_s,
        text=word.text,
        probability=word.probability,
        interpolated=word.interpolated,
    )


def _segment(segment: Segment) -> transcriber_pb2.Segment:
    return transcriber_pb2.Segment(
        start_s=segment.start_s,
        end_s=segment.end_s,
        text=segment.text,
        words=[_word(word) for word in segment.words],
        avg_logprob=segment.avg_logprob,
        no_speech_probability=segment.no_speech_probability,
        compression_ratio=segment.compression_ratio,
        temperature=segment.temperature,
        language_code=segment.language_code,
        language_probability=segment.language_probability,
        flags=sorted(FLAGS[flag] for flag in segment.flags),
        provisional=segment.provisional,
    )


def _transcript(transcript: Transcript, model: media_pb2.ModelInfo) -> transcriber_pb2.Transcript:
    return transcriber_pb2.Transcript(
        segments=[_segment(segment) for segment in transcript.segments],
        language_code=transcript.language_code,
        language_probability=transcript.language_probability,
        duration_s=transcript.duration_s,
        speech_s=transcript.speech_s,
        uncovered_speech_s=transcript.uncovered_speech_s,
        real_time_factor_ratio=transcript.real_time_factor_ratio,
        mean_word_probability=transcript.mean_word_probability,
        outcome=OUTCOMES[transcript.outcome],
        warnings=transcript.warnings,
        recording_warnings=to_messages(transcript.recording_warnings),
        model=model,
    )
