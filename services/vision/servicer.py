"""gRPC edge of the vision stage: unpack, call, pack. See `protos/interview/v1/vision.proto`."""

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
from interview.v1 import media_pb2, vision_pb2, vision_pb2_grpc
from services.vision.engine import VisionAnalyzer
from services.vision.measures import UNITS
from services.vision.observations import KINDS
from services.vision.report import (
    Measure,
    Observation,
    Outcome,
    PictureQuality,
    Progress,
    VisionReport,
)

SERVICE_NAME = "interview.v1.VisionService"

_OUTCOMES = {
    Outcome.OK: media_pb2.OUTCOME_OK,
    Outcome.INSUFFICIENT_EVIDENCE: media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE,
    Outcome.NO_FACE: media_pb2.OUTCOME_NO_FACE,
    Outcome.NO_VIDEO: media_pb2.OUTCOME_NO_VIDEO,
}


class VisionServicer(vision_pb2_grpc.VisionServiceServicer):
    """Serves one analyzer.

    Args:
        analyzer: Does the work.
        workers: The threads that it is done in.
        inbox: Receives recordings.
        max_media_bytes: Largest recording, for `GetCapabilities`.
        worker_count: Recordings at once, for `GetCapabilities`.
        growing_workers: The threads for recordings that still arrive: a slow sender holds one for as long as
            it sends. None: the same threads.
    """

    def __init__(
        self,
        analyzer: VisionAnalyzer,
        workers: Workers,
        inbox: MediaInbox,
        *,
        max_media_bytes: int,
        worker_count: int,
        growing_workers: Workers | None = None,
    ) -> None:
        self._analyzer = analyzer
        self._workers = workers
        self._growing_workers = growing_workers or workers
        self._inbox = inbox
        self._max_media_bytes = max_media_bytes
        self._worker_count = worker_count

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a gRPC server."""
        vision_pb2_grpc.add_VisionServiceServicer_to_server(self, server)

    async def Analyze(
        self,
        request_iterator: AsyncIterator[vision_pb2.AnalyzeRequest],
        context: grpc.aio.ServicerContext,  # noqa: ARG002 - the contract of gRPC
    ) -> AsyncIterator[vision_pb2.AnalyzeResponse]:
        """See `protos/interview/v1/vision.proto`."""
        async with self._inbox.receive_growing(request_iterator) as (_, arriving):
            begin_s, grows = time.perf_counter(), is_growing(arriving.path)
            workers = self._growing_workers if grows else self._workers
            work = partial(self._analyzer.analyze, arriving.path)
            async for event in arriving.events(workers.stream(work)):
                if isinstance(event, VisionReport) and event.duration_s and not grows:
                    REAL_TIME_FACTOR.observe((time.perf_counter() - begin_s) / event.duration_s)
                yield _to_response(event)

    async def GetCapabilities(
        self,
        request: vision_pb2.VisionServiceGetCapabilitiesRequest,  # noqa: ARG002 - it is empty
        context: grpc.aio.ServicerContext,  # noqa: ARG002 - the contract of gRPC
    ) -> vision_pb2.VisionServiceGetCapabilitiesResponse:
        """See `protos/interview/v1/vision.proto`."""
        return vision_pb2.VisionServiceGetCapabilitiesResponse(
            models=[_to_model_info(model) for model in self._analyzer.models],
            observation_kinds=KINDS,
            measure_names=UNITS,
            max_media_bytes=self._max_media_bytes,
            worker_count=self._worker_count,
        )


def _to_response(event: Progress | VisionReport) -> vision_pb2.AnalyzeResponse:
    if isinstance(event, Progress):
        return vision_pb2.AnalyzeResponse(
            progress=media_pb2.Progress(
                done_s=event.done_s, total_s=event.total_s, done_ratio=event.done_ratio
            )
        )
    return vision_pb2.AnalyzeResponse(report=_to_report(event))


def _to_report(report: VisionReport) -> vision_pb2.VisionReport:
    return vision_pb2.VisionReport(
        outcome=_OUTCOMES[report.outcome],
        reason=report.reason,
        duration_s=report.duration_s,
        sampled_frame_count=report.sampled_frame_count,
        inferred_frame_count=report.inferred_frame_count,
        face_ratio=report.face_ratio,
        max_face_count=report.max_face_count,
        measures=[_to_measure(measure) for measure in report.measures],
        observations=[_to_observation(observation) for observation in report.observations],
        quality=_to_quality(report.quality),
        models=[_to_model_info(model) for model in report.models],
        warnings=report.warnings,
        picture_s=report.picture_s,
        recording_warnings=to_messages(report.recording_warnings),
    )


def _to_measure(measure: Measure) -> media_pb2.Measure:
    return media_pb2.Measure(
        name=measure.name,
        value=measure.value,
        unit=measure.unit,
        coverage_ratio=measure.coverage_ratio,
        outcome=_OUTCOMES[measure.outcome],
        reason=measure.reason,
    )


def _to_observation(observation: Observation) -> media_pb2.Observation:
    return media_pb2.Observation(
        kind=observation.kind,
        start_s=observation.start_s,
        end_s=observation.end_s,
        value=observation.value,
        unit=observation.unit,
        threshold=observation.threshold,
        reason=observation.reason,
    )


def _to_quality(quality: PictureQuality) -> vision_pb2.PictureQuality:
    return vision_pb2.PictureQuality(
        width_px=quality.width_px,
        height_px=quality.height_px,
        frame_rate_hz=quality.frame_rate_hz,
        brightness_ratio=quality.brightness_ratio,
        face_width_ratio=quality.face_width_ratio,
        corrupt_packet_count=quality.corrupt_packet_count,
        packet_count=quality.packet_count,
        sharpness_score=quality.sharpness_score,
    )


def _to_model_info(model: ModelInfo) -> media_pb2.ModelInfo:
    return media_pb2.ModelInfo(
        name=model.name, version=model.version, digest=model.digest, device=model.device
    )
