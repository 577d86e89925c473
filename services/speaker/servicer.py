"""gRPC edge of the speaker stage: unpack, call, pack. See `protos/interview/v1/speaker.proto`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial

import grpc

from chassis.growing import is_growing
from chassis.media import MediaInbox
from chassis.model_info import ModelInfo
from chassis.playback.messages import to_messages
from chassis.telemetry import REAL_TIME_FACTOR
from chassis.workers import Workers
from interview.v1 import media_pb2, speaker_pb2, speaker_pb2_grpc
from services.speaker.engine import Diarizer, Progress
from services.speaker.observations import REPORT_PROBABILITY, Diarization

SERVICE_NAME = "interview.v1.SpeakerService"
OBSERVATION_KIND = "second_voice"
PROBABILITY_UNIT = "ratio"
"""The contract's unit for values from 0 to 1."""


_OUTCOMES = {
    "OK": media_pb2.OUTCOME_OK,
    "INSUFFICIENT_EVIDENCE": media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE,
    "NO_SPEECH": media_pb2.OUTCOME_NO_SPEECH,
    "NO_AUDIO": media_pb2.OUTCOME_NO_AUDIO,
}


class SpeakerServicer(speaker_pb2_grpc.SpeakerServiceServicer):
    """Serves one diarizer.

    Args:
        diarizer: Does the work.
        workers: The threads that it is done in.
        inbox: Receives recordings.
        max_media_bytes: Largest recording, for `GetCapabilities`.
        worker_count: Recordings at once, for `GetCapabilities`.
        growing_workers: The threads for recordings that still arrive: a slow sender holds one for as long as
            it sends. None: the same threads.
    """

    def __init__(
        self,
        diarizer: Diarizer,
        workers: Workers,
        inbox: MediaInbox,
        *,
        max_media_bytes: int,
        worker_count: int,
        growing_workers: Workers | None = None,
    ) -> None:
        self._diarizer = diarizer
        self._workers = workers
        self._growing_workers = growing_workers or workers
        self._inbox = inbox
        self._max_media_bytes = max_media_bytes
        self._worker_count = worker_count

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a gRPC server."""
        speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(self, server)

    async def Diarize(
        self,
        request_iterator: AsyncIterator[speaker_pb2.DiarizeRequest],
        context: grpc.aio.ServicerContext,  # noqa: ARG002 - the contract of gRPC
    ) -> AsyncIterator[speaker_pb2.DiarizeResponse]:
        """See `protos/interview/v1/speaker.proto`."""
        async with self._inbox.receive_growing(request_iterator) as (_, arriving):
            begin_s, grows = time.perf_counter(), is_growing(arriving.path)
            workers = self._growing_workers if grows else self._workers
            work = partial(self._diarizer.diarize, arriving.path)
            async for event in arriving.events(workers.stream(work)):
                if isinstance(event, Diarization) and event.duration_s and not grows:
                    REAL_TIME_FACTOR.observe((time.perf_counter() - begin_s) / event.duration_s)
                yield self._to_response(event)

    async def GetCapabilities(
        self,
        request: speaker_pb2.SpeakerServiceGetCapabilitiesRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext,  # noqa: ARG002 - the contract of gRPC
    ) -> speaker_pb2.SpeakerServiceGetCapabilitiesResponse:
        """See `protos/interview/v1/speaker.proto`."""
        return speaker_pb2.SpeakerServiceGetCapabilitiesResponse(
            model=_to_model_info(self._diarizer.model),
            second_voice_threshold_probability=REPORT_PROBABILITY,
            max_media_bytes=self._max_media_bytes,
            worker_count=self._worker_count,
        )

    def _to_response(self, event: Progress | Diarization) -> speaker_pb2.DiarizeResponse:
        if isinstance(event, Progress):
            return speaker_pb2.DiarizeResponse(
                progress=media_pb2.Progress(
                    done_s=event.done_s, total_s=event.total_s, done_ratio=event.done_ratio
                )
            )
        return speaker_pb2.DiarizeResponse(diarization=_to_diarization(event, self._diarizer.model))


def _to_diarization(found: Diarization, model: ModelInfo) -> speaker_pb2.Diarization:
    return speaker_pb2.Diarization(
        outcome=_OUTCOMES[found.outcome],
        reason=found.reason,
        voice_count=found.voice_count,
        voices=[speaker_pb2.Voice(voice=voice.voice, speech_s=voice.speech_s) for voice in found.voices],
        turns=[
            speaker_pb2.Turn(
                start_s=turn.start_s, end_s=turn.end_s, voice=turn.voice, confidence=turn.confidence
            )
            for turn in found.turns
        ],
        second_voice_probability=found.second_voice_probability,
        decision_similarity=found.decision_similarity,
        margin_similarity=found.margin_similarity,
        speech_s=found.speech_s,
        duration_s=found.duration_s,
        observations=_to_observations(found),
        model=_to_model_info(model),
        warnings=found.warnings,
        recording_warnings=to_messages(found.recording_warnings),
    )


def _to_observations(found: Diarization) -> list[media_pb2.Observation]:
    return [
        media_pb2.Observation(
            kind=OBSERVATION_KIND,
            start_s=observation.start_s,
            end_s=observation.end_s,
            value=observation.probability,
            unit=PROBABILITY_UNIT,
            threshold=REPORT_PROBABILITY,
            reason=observation.reason,
        )
        for observation in found.observations
    ]


def _to_model_info(model: ModelInfo) -> media_pb2.ModelInfo:
    return media_pb2.ModelInfo(
        name=model.name, version=model.version, digest=model.digest, device=model.device
    )
