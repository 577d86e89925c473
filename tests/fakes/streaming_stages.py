"""Transcriber, speaker and vision on a real socket: they take in what comes, as it comes, and keep it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from chassis.server import start_server
from chassis.settings import ServiceSettings
from interview.v1 import (
    media_pb2,
    speaker_pb2,
    speaker_pb2_grpc,
    transcriber_pb2,
    transcriber_pb2_grpc,
    vision_pb2,
    vision_pb2_grpc,
)
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report
from tests.waiting import until

STAGES = ("transcribe", "speaker", "vision")
SETTLE_S = 0.3


@dataclass
class Taken:
    """One call."""

    stage: str
    config: Any
    received: bytes = b""
    chunk_sizes: list[int] = field(default_factory=list)
    has_ended: bool = False
    """Whether all that was sent has come."""
    is_cancelled: bool = False


class StreamingStages:
    """The three stages. `gate` holds the answers to complete recordings back while it is not set."""

    def __init__(self) -> None:
        self.calls: list[Taken] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures: dict[str, list[Exception]] = {}

    def of(self, stage: str) -> list[Taken]:
        return [call for call in self.calls if call.stage == stage]

    async def until(self, is_so: Callable[[], bool]) -> None:
        await until(is_so)

    async def take(self, stage: str, requests: Any, response: Any, answer: Any) -> AsyncIterator[Any]:
        first = await anext(aiter(requests))
        call = Taken(stage, first.config)
        self.calls.append(call)
        try:
            if not first.config.recording.uri:
                async for request in requests:
                    call.received += request.chunk
                    call.chunk_sizes.append(len(request.chunk))
                # To who reads the requests, a cancelled call looks for a moment as if they had ended.
                await asyncio.sleep(SETTLE_S)
            call.has_ended = True
            if self.failures.get(stage):
                raise self.failures[stage].pop(0)
            yield response(progress=media_pb2.Progress(done_ratio=0.5))
            await self.gate.wait()
        except asyncio.CancelledError:
            call.is_cancelled = True
            raise
        yield answer


class _Transcriber(transcriber_pb2_grpc.TranscriberServiceServicer):
    def __init__(self, stages: StreamingStages) -> None:
        self.stages = stages

    async def Transcribe(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        response = transcriber_pb2.TranscribeResponse
        async for one in self.stages.take(
            "transcribe", requests, response, response(transcript=a_transcript())
        ):
            yield one


class _Speaker(speaker_pb2_grpc.SpeakerServiceServicer):
    def __init__(self, stages: StreamingStages) -> None:
        self.stages = stages

    async def Diarize(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        response = speaker_pb2.DiarizeResponse
        async for one in self.stages.take(
            "speaker", requests, response, response(diarization=a_diarization())
        ):
            yield one


class _Vision(vision_pb2_grpc.VisionServiceServicer):
    def __init__(self, stages: StreamingStages) -> None:
        self.stages = stages

    async def Analyze(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        response = vision_pb2.AnalyzeResponse
        async for one in self.stages.take("vision", requests, response, response(report=a_vision_report())):
            yield one


@asynccontextmanager
async def streaming_stages() -> AsyncIterator[tuple[StreamingStages, dict[str, str]]]:
    """Serve them. Yields them, and the settings that tell an orchestrator where they are."""
    stages = StreamingStages()

    def register(server: Any) -> None:
        transcriber_pb2_grpc.add_TranscriberServiceServicer_to_server(_Transcriber(stages), server)
        speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(_Speaker(stages), server)
        vision_pb2_grpc.add_VisionServiceServicer_to_server(_Vision(stages), server)

    server, _, port = await start_server(ServiceSettings(port=0), "interview.v1.TranscriberService", register)
    address = f"127.0.0.1:{port}"
    try:
        yield (
            stages,
            {"transcriber_address": address, "speaker_address": address, "vision_address": address},
        )
    finally:
        stages.gate.set()
        await server.stop(None)
