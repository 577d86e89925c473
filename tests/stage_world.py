"""A stage over a real socket whose work is a few lines of the test, and what a test sends to it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from chassis import client
from chassis.media import MediaInbox
from chassis.server import start_server
from chassis.settings import ServiceSettings
from chassis.workers import Workers
from interview.v1 import media_pb2, speaker_pb2, speaker_pb2_grpc
from tests.folders import left_in

SERVICE = "interview.v1.SpeakerService"
Work = Callable[[Path, threading.Event], Iterator[float]]


class Servicer(speaker_pb2_grpc.SpeakerServiceServicer):
    """A stage whose work is given by the test: it yields seconds done."""

    def __init__(self, work: Work, workers: Workers, inbox: MediaInbox) -> None:
        self.work, self.workers, self.inbox = work, workers, inbox

    async def Diarize(
        self, request_iterator: Any, context: Any
    ) -> AsyncIterator[speaker_pb2.DiarizeResponse]:
        async with self.inbox.receive(request_iterator) as (_, recording):
            async for done_s in self.workers.stream(lambda stop: self.work(recording, stop)):
                yield speaker_pb2.DiarizeResponse(progress=media_pb2.Progress(done_s=done_s))


@asynccontextmanager
async def stage(
    work: Work,
    tmp_path: Path,
    *,
    worker_count: int = 1,
    waiting_count: int = 0,
    max_media_bytes: int = 10_000_000,
    settings: ServiceSettings | None = None,
    **inbox_settings: Any,
) -> AsyncIterator[grpc.aio.Channel]:
    spool_dir = tmp_path / "spool"
    spool_dir.mkdir(exist_ok=True)
    inbox = MediaInbox(
        max_media_bytes=max_media_bytes,
        uri_prefixes=[(tmp_path / "store").as_uri()],
        spool_dir=spool_dir,
        **inbox_settings,
    )
    servicer = Servicer(work, Workers(worker_count, waiting_count), inbox)
    server, _, port = await start_server(
        settings or ServiceSettings(port=0),
        SERVICE,
        lambda s: speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(servicer, s),
    )
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)
        assert await left_in(spool_dir) == [], "a call left something behind on disk"


def opening(uri: str = "") -> speaker_pb2.DiarizeRequest:
    return speaker_pb2.DiarizeRequest(
        config=speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri=uri))
    )


async def requests(*messages: speaker_pb2.DiarizeRequest) -> AsyncIterator[speaker_pb2.DiarizeRequest]:
    for message in messages:
        yield message


def chunk(data: bytes) -> speaker_pb2.DiarizeRequest:
    return speaker_pb2.DiarizeRequest(chunk=data)


async def call(channel: grpc.aio.Channel, *messages: Any, timeout_s: float = 10) -> list[float]:
    stub = speaker_pb2_grpc.SpeakerServiceStub(channel)
    responses = client.stream(stub.Diarize, requests(*messages), timeout_s=timeout_s)
    return [response.progress.done_s async for response in responses]


def size_of(recording: Path, stop: threading.Event) -> Iterator[float]:
    yield float(len(recording.read_bytes()))


def raising(error: Exception) -> Work:
    def work(recording: Path, stop: threading.Event) -> Iterator[float]:
        yield 1.0
        raise error

    return work
