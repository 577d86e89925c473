"""The transcriber on a real socket with a fake model, and what a test sends to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chassis import client
from chassis.errors import InterviewError
from chassis.media import MediaInbox
from chassis.models import Model
from chassis.server import start_server
from chassis.workers import Workers
from interview.v1 import transcriber_pb2, transcriber_pb2_grpc
from services.transcriber.engine import Transcriber
from services.transcriber.servicer import SERVICE_NAME, Capabilities, TranscriberServicer
from services.transcriber.settings import TranscriberSettings
from tests.fakes.transcriber import (
    FakeSpeechModel,
    LoudnessDetector,
    decoded,
)

CHUNK_BYTES = 4_000
TIMEOUT_S = 20.0
MODEL = Model(name="fake", version="1", digest="ab" * 32, path=Path("model.bin"))
SAID = (
    decoded("I rebuilt the index.", 0.4, 1.9),
    decoded("Mm.", 2.0, 2.4, avg_logprob=-1.5),
)
Stub = transcriber_pb2_grpc.TranscriberServiceStub
Config = transcriber_pb2.TranscribeConfig
Request = transcriber_pb2.TranscribeRequest


@asynccontextmanager
async def transcriber(model: FakeSpeechModel, spool: Path, **limits: Any) -> AsyncIterator[Stub]:
    async with transcriber_at(model, spool, **limits) as address, client.open_channel(address) as channel:
        yield Stub(channel)


@asynccontextmanager
async def transcriber_at(
    model: FakeSpeechModel, spool: Path, *, worker_count: int = 1, waiting_count: int = 4, **limits: Any
) -> AsyncIterator[str]:
    settings = TranscriberSettings(port=0)
    inbox = MediaInbox(
        max_media_bytes=limits.get("max_media_bytes", 10_000_000),
        uri_prefixes=limits.get("uri_prefixes", ()),
        spool_dir=spool,
        max_growing_count=limits.get("growing_count", 0),
        stall_timeout_s=limits.get("stall_timeout_s", 60.0),
    )
    servicer = TranscriberServicer(
        Transcriber(model, LoudnessDetector(), max_duration_s=limits.get("max_duration_s", 7200.0)),
        Workers(worker_count, waiting_count),
        inbox,
        Capabilities(MODEL, "cpu", 10_000_000, worker_count),
    )
    server, _, port = await start_server(settings, SERVICE_NAME, servicer.register)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def chunked(
    recording: Path | bytes, config: transcriber_pb2.TranscribeConfig | None = None
) -> AsyncIterator[Any]:
    content = recording if isinstance(recording, bytes) else await asyncio.to_thread(recording.read_bytes)
    yield Request(config=config or Config())
    for index in range(0, len(content), CHUNK_BYTES):
        yield Request(chunk=content[index : index + CHUNK_BYTES])


async def requests(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def events_of(stub: Stub, asked: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in client.stream(stub.Transcribe, asked, timeout_s=TIMEOUT_S)]


async def transcript_of(stub: Stub, asked: AsyncIterator[Any]) -> Any:
    *_, last = await events_of(stub, asked)
    assert last.WhichOneof("event") == "transcript"
    return last.transcript


async def failure(stub: Stub, asked: AsyncIterator[Any]) -> InterviewError:
    with pytest.raises(InterviewError) as caught:
        await events_of(stub, asked)
    return caught.value
