"""Two server processes behind one name are restarted one after the other, under load."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chassis.client import stream
from interview.v1 import media_pb2, speaker_pb2, speaker_pb2_grpc
from orchestrator.stages.remote import Channels, once
from tests.fakes.stage_process import wait_for_calls, wait_for_port
from tests.free_ports import free_port
from tests.name_server import NameServer, name_server
from tests.steady_load import load_on
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]

HOSTS = ("127.0.0.1", "127.0.0.2")
CALL_S = 0.02
ROUND_COUNT = 2
CALLER_COUNT = 12
LONG_S = 6.0


class Pods:
    """Servers at one port of several addresses."""

    def __init__(self, folder: Path, names: NameServer, call_s: float) -> None:
        self.port = free_port()
        self.names = names
        self._folder, self._call_s = folder, call_s
        self.processes: dict[str, asyncio.subprocess.Process] = {}

    def counts(self, host: str) -> Path:
        return self._folder / host

    async def start(self, host: str) -> None:
        arguments = (str(self.counts(host)), str(self._call_s), str(self.port))
        told = (f"host={host}", "drain_timeout_s=30", "max_connection_age_s=2")
        self.processes[host] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.stage_process", *arguments, *told)
        )
        await wait_for_port(self.port, host)
        self.names.addresses = tuple(self.processes)

    async def stop(self, host: str) -> int:
        """Stop one as Kubernetes does, and return its status."""
        process = self.processes.pop(host)
        process.terminate()
        self.names.addresses = tuple(self.processes)
        return await process.wait()


@asynccontextmanager
async def pods(folder: Path, call_s: float) -> AsyncIterator[Pods]:
    async with name_server() as names:
        found = Pods(folder, names, call_s)
        try:
            for host in HOSTS:
                await found.start(host)
            yield found
        finally:
            await asyncio.gather(*(found.stop(host) for host in tuple(found.processes)))


async def until_called(counts: Path) -> None:
    """Wait until a server that has just started gets calls."""

    def size_bytes() -> int:
        return counts.stat().st_size if counts.exists() else 0

    before_bytes = size_bytes()
    await until(lambda: size_bytes() > before_bytes)


async def restart_each(servers: Pods) -> list[int]:
    statuses = []
    for _ in range(ROUND_COUNT):
        for host in HOSTS:
            statuses.append(await servers.stop(host))
            await servers.start(host)
            await until_called(servers.counts(host))
    return statuses


async def test_a_rolling_restart_under_load_fails_no_call(tmp_path: Path) -> None:
    channels = Channels()
    async with pods(tmp_path, CALL_S) as servers:
        channel = channels.to(servers.names.address(servers.port))
        async with load_on(channel, CALLER_COUNT) as load:
            await until(lambda: load.done_count > 50)
            statuses = await restart_each(servers)
        await channels.close()

    assert statuses == [0] * len(HOSTS) * ROUND_COUNT
    assert load.failures == {}


async def test_a_long_stream_ends_where_it_began_while_its_server_is_replaced(tmp_path: Path) -> None:
    channels = Channels()
    async with pods(tmp_path, LONG_S) as servers:
        channel = channels.to(servers.names.address(servers.port))
        config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri="file:///store/media/1.mp4"))
        method = speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize
        requests = once(speaker_pb2.DiarizeRequest(config=config))
        replies = stream(method, requests, timeout_s=60.0)
        events = [(await anext(replies)).WhichOneof("event")]
        (began_at,) = [host for host in HOSTS if servers.counts(host).exists()]
        wait_for_calls(servers.counts(began_at), "speaker")
        stopping = asyncio.create_task(servers.stop(began_at))
        events += [reply.WhichOneof("event") async for reply in replies]
        status = await stopping
        await channels.close()

    assert events == ["progress"] * 10 + ["diarization"]
    assert status == 0
