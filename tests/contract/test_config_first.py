"""What is wrong with the opening message is told at once, not after the whole recording has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.errors import InterviewError
from chassis.media import DISCARD_BYTES, MAX_CHUNK_BYTES, MediaInbox
from chassis.models import Model
from chassis.server import start_server
from chassis.settings import ServiceSettings
from chassis.status import from_rpc_error
from chassis.workers import Workers
from interview.v1 import (
    media_pb2,
    speaker_pb2,
    speaker_pb2_grpc,
    transcriber_pb2,
    transcriber_pb2_grpc,
    vision_pb2,
    vision_pb2_grpc,
)
from services.speaker.servicer import SpeakerServicer
from services.transcriber.engine import Transcriber
from services.transcriber.servicer import Capabilities, TranscriberServicer
from services.vision.servicer import VisionServicer
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector

pytestmark = pytest.mark.anyio

CHUNK_COUNT = 150
DISCARDED_COUNT = DISCARD_BYTES // MAX_CHUNK_BYTES + 1
"""A refused client that is still writing is read out for a while, so that it sees the reason."""
TIMEOUT_S = 30.0
NOBODY: Any = None
"""Stands for an engine that must not be asked."""
FORBIDDEN = media_pb2.Recording(uri="file:///etc/hostname")
Config = transcriber_pb2.TranscribeConfig


class CountingInbox(MediaInbox):
    """Counts the chunks that are read."""

    def __init__(self, spool_dir: Path) -> None:
        super().__init__(
            max_media_bytes=1 << 30, uri_prefixes=(spool_dir.parent.as_uri(),), spool_dir=spool_dir
        )
        self.chunk_count = 0

    def receive(self, requests: AsyncIterator[Any], **options: Any) -> Any:
        """See `MediaInbox`."""
        return super().receive(self._counted(requests), **options)

    def receive_growing(self, requests: AsyncIterator[Any], **options: Any) -> Any:
        """See `MediaInbox`."""
        return super().receive_growing(self._counted(requests), **options)

    async def _counted(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in requests:
            self.chunk_count += bool(request.chunk)
            yield request


def transcriber(inbox: MediaInbox) -> Callable[[grpc.aio.Server], None]:
    servicer = TranscriberServicer(
        Transcriber(FakeSpeechModel(), LoudnessDetector()),
        Workers(1, 1),
        inbox,
        Capabilities(Model("fake", "1", "ab" * 32, Path("model.bin")), "cpu", 1 << 30, 1),
    )
    return servicer.register


def speaker(inbox: MediaInbox) -> Callable[[grpc.aio.Server], None]:
    return SpeakerServicer(NOBODY, Workers(1, 1), inbox, max_media_bytes=1 << 30, worker_count=1).add_to


def vision(inbox: MediaInbox) -> Callable[[grpc.aio.Server], None]:
    return VisionServicer(NOBODY, Workers(1, 1), inbox, max_media_bytes=1 << 30, worker_count=1).add_to


def refusal(port: int, stub_of: Any, method: str, opening: Any) -> InterviewError:
    """Send an opening message and a large recording, with the client that most callers have."""

    def messages() -> Iterator[Any]:
        yield opening
        for _ in range(CHUNK_COUNT):
            yield type(opening)(chunk=bytes(MAX_CHUNK_BYTES))

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as caught:
        list(getattr(stub_of(channel), method)(messages(), timeout=TIMEOUT_S))
    failure: Any = caught.value
    return from_rpc_error(failure)


WRONG = {
    "language_code": (Config(language_code="xx"), "LANGUAGE_UNSUPPORTED"),
    "beam_size": (Config(beam_size=0), "BEAM_SIZE_INVALID"),
    "hotwords": (Config(hotwords="x" * 2_000), "HOTWORDS_TOO_LONG"),
    "prompt": (Config(prompt="x" * 2_000), "PROMPT_TOO_LONG"),
    "uri": (Config(recording=FORBIDDEN), "MEDIA_URI_FORBIDDEN"),
}


@asynccontextmanager
async def serving(
    compose: Callable[[MediaInbox], Callable[[grpc.aio.Server], None]], tmp_path: Path
) -> AsyncIterator[tuple[CountingInbox, int]]:
    (tmp_path / "spool").mkdir()
    inbox = CountingInbox(tmp_path / "spool")
    server, _, port = await start_server(ServiceSettings(port=0), "interview.v1.Stage", compose(inbox))
    try:
        yield inbox, port
    finally:
        await server.stop(None)


@pytest.mark.parametrize(("config", "reason"), WRONG.values(), ids=WRONG.keys())
async def test_the_transcriber_refuses_wrong_settings_with_the_first_message(
    tmp_path: Path, config: transcriber_pb2.TranscribeConfig, reason: str
) -> None:
    opening = transcriber_pb2.TranscribeRequest(config=config)
    stub = transcriber_pb2_grpc.TranscriberServiceStub
    async with serving(transcriber, tmp_path) as (inbox, port):
        error = await asyncio.to_thread(refusal, port, stub, "Transcribe", opening)

    assert error.reason == reason
    assert inbox.chunk_count <= DISCARDED_COUNT < CHUNK_COUNT


async def test_speaker_and_vision_refuse_a_forbidden_uri_with_the_first_message(tmp_path: Path) -> None:
    diarize = speaker_pb2.DiarizeRequest(config=speaker_pb2.DiarizeConfig(recording=FORBIDDEN))
    analyze = vision_pb2.AnalyzeRequest(config=vision_pb2.AnalyzeConfig(recording=FORBIDDEN))
    for name, compose, stub, method, opening in (
        ("speaker", speaker, speaker_pb2_grpc.SpeakerServiceStub, "Diarize", diarize),
        ("vision", vision, vision_pb2_grpc.VisionServiceStub, "Analyze", analyze),
    ):
        (tmp_path / name).mkdir()
        async with serving(compose, tmp_path / name) as (inbox, port):
            error = await asyncio.to_thread(refusal, port, stub, method, opening)

        assert error.reason == "MEDIA_URI_FORBIDDEN"
        assert inbox.chunk_count <= DISCARDED_COUNT


async def test_no_chunk_is_asked_for_before_the_settings_are_checked(tmp_path: Path) -> None:
    """The inbox alone: how many chunks had been read when the check was made."""
    inbox, counts = CountingInbox(tmp_path), []

    async def messages() -> AsyncIterator[Any]:
        yield transcriber_pb2.TranscribeRequest(config=Config())
        yield transcriber_pb2.TranscribeRequest(chunk=b"a")

    async def check(_: Any) -> None:
        counts.append(inbox.chunk_count)

    async with inbox.receive(messages(), check=check):
        counts.append(inbox.chunk_count)

    assert counts == [0, 1]
