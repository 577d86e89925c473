"""A stage's process that is away, stopped or hung, as the orchestrator sees it over real sockets."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from chassis.errors import InvalidInputError, UnavailableError
from chassis.server import start_server
from chassis.settings import ServiceSettings
from interview.v1 import assessor_pb2, assessor_pb2_grpc, media_pb2, speaker_pb2, speaker_pb2_grpc
from orchestrator.stages.remote import Channels, Limits, ask, check_serving, follow, once
from orchestrator.stages.troubles import StageAwayError, StageDiedError, StageHungError, StageStoppedError
from tests.fakes.stage_process import wait_for_calls, wait_for_port
from tests.folders import ROOT
from tests.free_ports import free_port

pytestmark = pytest.mark.anyio
SERVICE = "interview.v1.SpeakerService"
PATIENT = Limits(60, 60)


class Speaker(speaker_pb2_grpc.SpeakerServiceServicer):
    """Reports progress as it is told to, then stands still or answers."""

    def __init__(self, *steps_s: float, last: Exception | None = None, ends: bool = False) -> None:
        self.steps_s, self.last, self.ends = steps_s, last, ends
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def Diarize(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        self.begun.set()
        try:
            for done_s in self.steps_s:
                yield speaker_pb2.DiarizeResponse(progress=media_pb2.Progress(done_s=done_s, total_s=10.0))
                await asyncio.sleep(0.05)
            if self.last is not None:
                raise self.last
            if self.ends:
                yield speaker_pb2.DiarizeResponse(diarization=speaker_pb2.Diarization(voice_count=1))
                return
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class Assessor(assessor_pb2_grpc.AssessorServiceServicer):
    """Never answers."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def Assess(self, request: Any, context: Any) -> Any:
        self.begun.set()
        await asyncio.Event().wait()


class Process:
    """A stage's process, as far as a caller sees it."""

    def __init__(self, speaker: Speaker | None = None, port: int = 0) -> None:
        self.speaker, self.assessor, self.port = speaker or Speaker(), Assessor(), port
        self.channels = Channels()

    async def __aenter__(self) -> Process:
        def register(server: grpc.aio.Server) -> None:
            speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(self.speaker, server)
            assessor_pb2_grpc.add_AssessorServiceServicer_to_server(self.assessor, server)

        settings = ServiceSettings(port=self.port)
        self.server, self.health, self.port = await start_server(settings, SERVICE, register)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channels.close()
        await self.server.stop(None)

    @property
    def channel(self) -> grpc.aio.Channel:
        return self.channels.to(f"127.0.0.1:{self.port}")

    async def diarize(self, limits: Limits = PATIENT) -> Any:
        stub = speaker_pb2_grpc.SpeakerServiceStub(self.channel)
        request = speaker_pb2.DiarizeRequest(config=speaker_pb2.DiarizeConfig())
        return await follow(stub.Diarize, once(request), "diarization", lambda _: None, limits=limits)

    async def assess(self) -> Any:
        stub = assessor_pb2_grpc.AssessorServiceStub(self.channel)
        return await ask(stub.Assess, assessor_pb2.AssessRequest(), timeout_s=60)


async def test_a_process_that_is_not_there_is_away() -> None:
    nowhere = Process(port=free_port())
    for call in (nowhere.diarize(), nowhere.assess(), check_serving(nowhere.channel)):
        with pytest.raises(StageAwayError):
            await call
    await nowhere.channels.close()


async def test_a_process_that_says_that_it_does_not_serve_is_away() -> None:
    async with Process() as process:
        await check_serving(process.channel)
        await process.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        with pytest.raises(StageAwayError):
            await check_serving(process.channel)


async def test_a_process_without_a_word_for_its_health_is_there() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        await check_serving(Channels().to(f"127.0.0.1:{port}"))
    finally:
        await server.stop(None)


async def test_a_process_that_is_stopped_in_mid_work_is_told_apart_from_one_that_dies() -> None:
    async with Process() as process:
        calls = [asyncio.create_task(process.diarize()), asyncio.create_task(process.assess())]
        await process.speaker.begun.wait()
        await process.assessor.begun.wait()
        await process.server.stop(0.1)
        for call in calls:
            with pytest.raises(StageStoppedError):
                await call


async def test_a_process_that_is_killed_in_mid_work_has_died(tmp_path: Path) -> None:
    process = Process(port=free_port())
    async with killable(tmp_path / "counts", process.port) as child:
        calls = [asyncio.create_task(process.diarize()), asyncio.create_task(process.assess())]
        await asyncio.to_thread(wait_for_calls, tmp_path / "counts", "speaker", "assess")
        child.kill()
        for call in calls:
            with pytest.raises(StageDiedError):
                await call
    await process.channels.close()


@asynccontextmanager
async def killable(counts: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the stages as a process of their own, whose calls take a minute."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.stage_process", str(counts), "60", str(port)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_for_port(port)
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_a_stages_own_answer_stays_what_it_is() -> None:
    refusal = InvalidInputError("It can't be read.", reason="MEDIA_UNDECODABLE")
    away = UnavailableError("The store is away.", reason="STORE_UNAVAILABLE")
    for raised in (refusal, away):
        async with Process(Speaker(1.0, last=raised)) as process:
            with pytest.raises(type(raised)) as caught:
                await process.diarize()
        assert (type(caught.value), caught.value.reason) == (type(raised), raised.reason)


async def test_a_stage_whose_progress_stands_still_is_hung_and_its_call_is_cancelled() -> None:
    async with Process(Speaker(1.0, 2.0, 2.0, 2.0)) as process:
        with pytest.raises(StageHungError):
            await process.diarize(Limits(60, 0.5))
        await process.speaker.cancelled.wait()


async def test_a_call_that_waits_in_the_stages_own_room_is_not_hung() -> None:
    async with Process(Speaker()) as process:
        call = asyncio.create_task(process.diarize(Limits(60, 0.05)))
        done, _ = await asyncio.wait({call}, timeout=1.0)
        call.cancel()
        assert not done


async def test_a_stage_that_gets_on_slowly_is_not_hung() -> None:
    async with Process(Speaker(*(number / 2 for number in range(20)), ends=True)) as process:
        assert (await process.diarize(Limits(60, 10))).voice_count == 1


async def test_a_process_that_came_back_is_found_and_calls_under_way_go_on() -> None:
    async with Process(Speaker(*(number / 2 for number in range(8)), ends=True)) as process:
        address = f"127.0.0.1:{process.port}"
        call = asyncio.create_task(process.diarize())
        await process.speaker.begun.wait()
        before = process.channel
        while not await process.channels.find_again(address):
            pass  # on a busy machine the answer may take longer than one look waits for it
        assert process.channel is not before
        del before
        assert (await call).voice_count == 1


async def test_a_process_that_is_still_away_is_not_found() -> None:
    channels = Channels()
    assert not await channels.find_again(f"127.0.0.1:{free_port()}")
