"""Callers that say nothing, too little or too much, or read nothing: none of them holds a place for long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis import client
from chassis.errors import DeadlineError, ExhaustedError, InterviewError
from chassis.server import start_server
from chassis.settings import ServiceSettings
from interview.v1 import speaker_pb2, speaker_pb2_grpc
from tests.folders import files_below
from tests.stage_world import SERVICE, call, chunk, opening, size_of, stage

pytestmark = pytest.mark.anyio

LONG_S = 60.0


async def silent(*first: speaker_pb2.DiarizeRequest) -> AsyncIterator[speaker_pb2.DiarizeRequest]:
    for message in first:
        yield message
    await asyncio.sleep(LONG_S)


async def dripping(pause_s: float, data: bytes) -> AsyncIterator[speaker_pb2.DiarizeRequest]:
    yield opening()
    while True:
        yield chunk(data)
        await asyncio.sleep(pause_s)


def until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + LONG_S / 2
    while not is_so() and time.monotonic() < end_s:
        time.sleep(0.02)


async def said(channel: grpc.aio.Channel, requests: AsyncIterator[Any]) -> list[float]:
    method = speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize
    replies = client.stream(method, requests, timeout_s=LONG_S)
    return [reply.progress.done_s async for reply in replies]


async def test_streams_that_say_nothing_are_ended_and_take_no_place_meanwhile(tmp_path: Path) -> None:
    async with stage(size_of, tmp_path, max_open_count=1, first_message_timeout_s=2.0) as channel:
        waiting = [asyncio.create_task(said(channel, silent())) for _ in range(20)]
        await asyncio.sleep(0.3)
        assert await call(channel, opening(), chunk(b"abc")) == [3.0]

        for one in waiting:
            with pytest.raises(DeadlineError) as caught:
                await one
            assert caught.value.reason == "UPLOAD_STALLED"


async def test_a_recording_in_the_store_is_read_while_slow_senders_hold_all_places(tmp_path: Path) -> None:
    async with stage(size_of, tmp_path, max_open_count=1) as channel:
        recording = tmp_path / "store" / "a.wav"
        recording.write_bytes(b"1234")
        slow = asyncio.create_task(said(channel, silent(opening(), chunk(b"a"))))
        await asyncio.to_thread(
            until, lambda: any(path.name == "recording" for path in files_below(tmp_path / "spool"))
        )

        with pytest.raises(ExhaustedError):
            await call(channel, opening(), chunk(b"abc"))
        assert await call(channel, opening(recording.as_uri())) == [4.0]
        slow.cancel()


async def test_a_sender_that_drips_is_ended_though_it_never_pauses(tmp_path: Path) -> None:
    async with stage(size_of, tmp_path, min_bytes_per_s=100_000.0, rate_grace_s=0.5) as channel:
        with pytest.raises(DeadlineError) as caught:
            # Seldom: an asyncio client that is writing when it is told may lose the reason.
            await said(channel, dripping(3.0, b"x"))

    assert caught.value.reason == "UPLOAD_STALLED"


async def test_a_sender_that_is_fast_enough_has_all_the_time_that_its_bytes_take(tmp_path: Path) -> None:
    async def steady() -> AsyncIterator[speaker_pb2.DiarizeRequest]:
        yield opening()
        for _ in range(20):
            yield chunk(bytes(10_000))
            await asyncio.sleep(0.05)

    async with stage(size_of, tmp_path, min_bytes_per_s=10_000.0, rate_grace_s=0.5) as channel:
        assert await said(channel, steady()) == [200_000.0]


class Talker(speaker_pb2_grpc.SpeakerServiceServicer):
    """Answers with large replies without end, and says when it was stopped."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()

    async def Diarize(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield speaker_pb2.DiarizeResponse(diarization=speaker_pb2.Diarization(reason="x" * 100_000))
        finally:
            self.stopped.set()


@pytest.mark.parametrize(("max_unread_s", "is_stopped"), [(1.0, True), (LONG_S, False)])
async def test_a_call_whose_replies_nobody_reads_is_ended(max_unread_s: float, is_stopped: bool) -> None:
    talker = Talker()
    server, _, port = await start_server(
        ServiceSettings(port=0, max_unread_s=max_unread_s),
        SERVICE,
        lambda s: speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(talker, s),
    )
    async with client.open_channel(f"127.0.0.1:{port}") as channel:
        unread: Any = speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize(_once(b"a"), timeout=LONG_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(talker.stopped.wait(), LONG_S / 2 if is_stopped else 3.0)
        assert talker.stopped.is_set() == is_stopped
        unread.cancel()
    await server.stop(None)


async def _once(data: bytes) -> AsyncIterator[speaker_pb2.DiarizeRequest]:
    yield opening()
    yield chunk(data)


async def test_a_message_over_the_limit_is_refused(tmp_path: Path) -> None:
    async with stage(
        size_of, tmp_path, settings=ServiceSettings(port=0, max_receive_bytes=1 << 20)
    ) as channel:
        with pytest.raises(ExhaustedError) as caught:
            await call(channel, opening(), chunk(bytes(2 << 20)))

    assert caught.value.reason == "RESOURCE_EXHAUSTED"


async def test_metadata_over_the_limit_is_refused_and_the_connection_serves_on(tmp_path: Path) -> None:
    async with stage(size_of, tmp_path) as channel:
        method = speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in method(_once(b"a"), metadata=(("x-large", "a" * 20_000),), timeout=LONG_S):
                pass
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call(channel, opening(), chunk(b"abc")) == [3.0]


async def test_no_more_calls_than_the_limit_are_worked_on_for_one_connection(tmp_path: Path) -> None:
    go = threading.Event()
    running: list[Path] = []

    def wait(recording: Path, stop: threading.Event) -> Iterator[float]:
        running.append(recording)
        while recording.read_bytes() != b"quick" and not go.is_set() and not stop.is_set():
            stop.wait(0.02)
        yield 1.0

    settings = ServiceSettings(port=0, max_stream_count=2)
    async with stage(wait, tmp_path, worker_count=8, settings=settings) as channel:
        await call(channel, opening(), chunk(b"quick"))  # it tells the limit
        calls = [
            asyncio.create_task(call(channel, opening(), chunk(b"a"), timeout_s=LONG_S)) for _ in range(5)
        ]
        await asyncio.to_thread(until, lambda: len(running) >= 2)
        await asyncio.sleep(0.5)
        assert len(running) <= 3, "the quick one and two others"
        go.set()
        # Where a stream's end is on its way, the server refuses one that the client thought it had room for.
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert ended.count([1.0]) >= 2


async def test_calls_whose_time_is_over_as_they_begin_leave_no_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def hurried(timeout_s: float) -> None:
        with contextlib.suppress(InterviewError, asyncio.CancelledError):
            await call(channel, opening(), chunk(b"abc"), timeout_s=timeout_s)

    async with stage(size_of, tmp_path) as channel:
        for _ in range(15):
            await asyncio.gather(*(hurried(0.0005 * step) for step in range(1, 40)))

    assert any(record.name == "chassis.interceptors" for record in caplog.records)
    assert not [record.getMessage() for record in caplog.records if record.exc_info]
