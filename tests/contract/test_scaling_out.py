"""A server that is added behind a name gets its share of the calls, and no call fails of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from chassis.client import open_channel, stream
from chassis.listening import server_options
from chassis.settings import ServiceSettings
from chassis.store import MediaStore
from interview.v1 import assessor_pb2, assessor_pb2_grpc, media_pb2, speaker_pb2, speaker_pb2_grpc
from orchestrator.running.place_counts import PlaceCounts
from orchestrator.stages.catalogue import build_stages, settings_class
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels, ask, once
from orchestrator.stages.stage import Parts
from tests.fakes.stage_process import stage_process
from tests.name_server import name_server
from tests.steady_load import load_on
from tests.waiting import until

pytestmark = pytest.mark.anyio

ONE, OTHER = "127.0.0.1", "127.0.0.2"
YOUNG_S = 0.5
CALL_S = 0.01


def call_count(counts: Path, stage: str = "assess") -> int:
    lines = counts.read_text().splitlines() if counts.exists() else []
    return sum(line.startswith(f"+{stage} ") for line in lines)


async def test_a_second_server_under_load_gets_its_share_and_no_call_fails(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with AsyncExitStack() as servers:
        names = await servers.enter_async_context(name_server(ONE))
        port = await servers.enter_async_context(stage_process(first, CALL_S, max_connection_age_s=YOUNG_S))
        async with open_channel(names.address(port)) as channel, load_on(channel, 8) as load:
            await until(lambda: load.done_count > 50)
            await servers.enter_async_context(
                stage_process(second, CALL_S, port, host=OTHER, max_connection_age_s=YOUNG_S)
            )
            names.addresses = (ONE, OTHER)
            await until(lambda: call_count(second) > 0)
            before = call_count(first), call_count(second)
            await until(lambda: call_count(second) - before[1] > 100)
            got = call_count(first) - before[0], call_count(second) - before[1]

    assert got[1] / sum(got) >= 0.3
    assert load.failures == {}


async def test_a_stream_outlives_its_connections_age(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    async with (
        stage_process(counts, 2 * YOUNG_S, max_connection_age_s=YOUNG_S) as port,
        open_channel(f"{ONE}:{port}") as channel,
    ):
        config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri="file:///store/media/1.mp4"))
        method = speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize
        requests = once(speaker_pb2.DiarizeRequest(config=config))
        events = [reply.WhichOneof("event") async for reply in stream(method, requests, timeout_s=60.0)]

    assert events == ["progress"] * 10 + ["diarization"]


async def test_looks_at_the_health_take_no_turns_of_calls(tmp_path: Path) -> None:
    """With a look before each call, one of two servers got all calls and the other all looks."""
    first, second = tmp_path / "first", tmp_path / "second"
    async with (
        name_server(ONE, OTHER) as names,
        stage_process(first, 0.0) as port,
        stage_process(second, 0.0, port, host=OTHER),
    ):
        channels, address = Channels(), names.address(port)
        method = assessor_pb2_grpc.AssessorServiceStub(channels.to(address)).Assess
        while not (call_count(first) and call_count(second)):  # both are connected to
            await ask(method, assessor_pb2.AssessRequest(), timeout_s=60.0)
        before = call_count(first), call_count(second)
        for _ in range(10):
            await channels.check_serving(address)
            await ask(method, assessor_pb2.AssessRequest(), timeout_s=60.0)
        await channels.close()

    assert (call_count(first) - before[0], call_count(second) - before[1]) == (5, 5)


async def test_places_follow_what_real_servers_say(tmp_path: Path) -> None:
    async with (
        stage_process(tmp_path / "first", 0.0, worker_count=1) as port,
        stage_process(tmp_path / "second", 0.0, port, worker_count=4, host=OTHER),
    ):
        media = MediaStore(tmp_path.as_uri())
        settings = settings_class()(assessor_address=f"stage.test:{port}")
        stages = build_stages(Parts(settings, media, SessionStore(media), Channels()))

        async def resolve(address: str) -> tuple[str, ...]:
            return (f"{ONE}:{port}", f"{OTHER}:{port}", f"127.0.0.3:{port}") if "stage" in address else ()

        counts = PlaceCounts({"assess": stages["assess"]}, resolve)
        await counts.look()

    assert counts["assess"] == 5


@pytest.mark.parametrize("max_call_s", [5.0, 43_200.0, 10_000_000.0])
def test_an_old_connection_stays_open_for_longer_than_any_call(max_call_s: float) -> None:
    options = dict(server_options(ServiceSettings(port=0, max_call_s=max_call_s)))

    assert options["grpc.max_connection_age_ms"] == 30_000
    assert options["grpc.max_connection_age_grace_ms"] == min((1 << 31) - 1, (max_call_s + 60) * 1000)


def test_connections_can_be_kept_for_good() -> None:
    options = dict(server_options(ServiceSettings(port=0, max_connection_age_s=0)))

    assert not any("connection_age" in name for name in options)
