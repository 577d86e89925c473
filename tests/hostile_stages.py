"""The stages that decode recordings: quick fake models behind the real decoders, on sockets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from chassis import client
from chassis.decoding.child_limits import ChildLimits
from chassis.media import MediaInbox
from chassis.models import Model
from chassis.playback.loading import sound_decoder
from chassis.server import Register, start_server
from chassis.settings import ServiceSettings
from chassis.workers import Workers
from interview.v1 import media_pb2, speaker_pb2_grpc, transcriber_pb2_grpc, vision_pb2_grpc
from interview.v1 import speaker_pb2 as speaker_messages
from interview.v1 import transcriber_pb2 as transcriber_messages
from interview.v1 import vision_pb2 as vision_messages
from services.speaker.servicer import SpeakerServicer
from services.transcriber.engine import Transcriber
from services.transcriber.servicer import Capabilities, TranscriberServicer
from services.vision.frames import picture_decoder
from services.vision.servicer import VisionServicer
from tests.fakes import speaker as fakes_speaker
from tests.fakes import transcriber as fakes_transcriber
from tests.fakes import vision as fakes_vision

MAX_MEDIA_BYTES = 50_000_000
PLACES: dict[str, Any] = {"max_media_bytes": MAX_MEDIA_BYTES, "worker_count": 2}
LIMITS = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=20.0)
KINDS = ("transcriber", "speaker", "vision")


@dataclass(frozen=True)
class HostileStage:
    """A running stage."""

    kind: str
    channel: grpc.aio.Channel
    store: Path

    async def ask(self, content: bytes, name: str = "a.mp4", timeout_s: float = 60.0) -> Any:
        """Put bytes into the store, ask about them, and return the last reply.

        Raises:
            InterviewError: What the stage refuses.
        """
        recording = self.store / name
        recording.write_bytes(content)
        method, request = _call(self.kind, self.channel, recording.as_uri())

        async def requests() -> AsyncIterator[Any]:
            yield request

        replies = [reply async for reply in client.stream(method, requests(), timeout_s=timeout_s)]
        return replies[-1]


def _call(kind: str, channel: grpc.aio.Channel, uri: str) -> tuple[Any, Any]:
    recording = media_pb2.Recording(uri=uri)
    if kind == "transcriber":
        config = transcriber_messages.TranscribeConfig(recording=recording)
        stub: Any = transcriber_pb2_grpc.TranscriberServiceStub(channel)
        return stub.Transcribe, transcriber_messages.TranscribeRequest(config=config)
    if kind == "speaker":
        stub = speaker_pb2_grpc.SpeakerServiceStub(channel)
        return stub.Diarize, speaker_messages.DiarizeRequest(
            config=speaker_messages.DiarizeConfig(recording=recording)
        )
    stub = vision_pb2_grpc.VisionServiceStub(channel)
    return stub.Analyze, vision_messages.AnalyzeRequest(
        config=vision_messages.AnalyzeConfig(recording=recording)
    )


def _stage(
    kind: str, inbox: MediaInbox, limits: ChildLimits, stack: contextlib.ExitStack
) -> tuple[str, Register]:
    workers = Workers(2, 8)
    if kind == "vision":
        pictures = picture_decoder(limits, keeps_spare=True, worker_count=2)
        stack.callback(pictures.close)
        analyzer = fakes_vision.fake_analyzer(decoder=pictures)
        return "interview.v1.VisionService", VisionServicer(analyzer, workers, inbox, **PLACES).add_to
    sounds = sound_decoder(limits, keeps_spare=True)
    stack.callback(sounds.close)
    if kind == "speaker":
        diarizer = fakes_speaker.fake_diarizer(decoder=sounds)
        return "interview.v1.SpeakerService", SpeakerServicer(diarizer, workers, inbox, **PLACES).add_to
    model = fakes_transcriber.FakeSpeechModel([fakes_transcriber.decoded("I led it.", 0.5, 1.4)])
    engine = Transcriber(model, fakes_transcriber.LoudnessDetector(), decoder=sounds)
    able = Capabilities(Model("fake", "1", "ab" * 32, Path("model.bin")), "cpu", MAX_MEDIA_BYTES, 2)
    return "interview.v1.TranscriberService", TranscriberServicer(engine, workers, inbox, able).register


@contextlib.asynccontextmanager
async def hostile_stage(kind: str, folder: Path, limits: ChildLimits = LIMITS) -> AsyncIterator[HostileStage]:
    """Run one of `KINDS` with its real decoder in a child process."""
    store, spool = folder / "store", folder / "spool"
    store.mkdir()
    spool.mkdir()
    inbox = MediaInbox(max_media_bytes=MAX_MEDIA_BYTES, uri_prefixes=[store.as_uri()], spool_dir=spool)
    with contextlib.ExitStack() as stack:
        name, register = _stage(kind, inbox, limits, stack)
        server, _, port = await start_server(ServiceSettings(port=0), name, register)
        try:
            async with client.open_channel(f"127.0.0.1:{port}") as channel:
                yield HostileStage(kind, channel, store)
        finally:
            await server.stop(None)
