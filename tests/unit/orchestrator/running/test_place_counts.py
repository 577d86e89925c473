"""Places follow the pods of a stage and what each says that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis.errors import UnavailableError
from chassis.store import MediaStore
from orchestrator.running.addresses import addresses_of
from orchestrator.running.place_counts import FRESH_S, MAX_PLACE_COUNT, PlaceCounts
from orchestrator.running.places import OwnPlaces, alone
from orchestrator.stages.capacity import follows_pods
from orchestrator.stages.catalogue import build_stages, settings_class
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels
from orchestrator.stages.stage import Parts
from tests.fakes.stages import FakeStages
from tests.waiting import until

pytestmark = pytest.mark.anyio

STAGE = "vision"
LEAST = 2


class FakeStage:
    """A stage whose pods say how many they take. One that is not here can't be asked."""

    name = STAGE
    address = "vision:50054"
    place_count = LEAST
    is_remote = True
    parts = SimpleNamespace(settings=SimpleNamespace(vision_count=None))

    def __init__(self, **pods: int) -> None:
        self.pods: dict[str, int | None] = dict(pods)
        self.asked: list[str] = []

    async def worker_count(self, pod: str) -> int:
        self.asked.append(pod)
        count = self.pods.get(pod)
        if count is None:
            raise UnavailableError("away", reason="STAGE_AWAY")
        return count

    async def resolve(self, address: str) -> tuple[str, ...]:
        assert address == self.address
        return tuple(self.pods)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counts_of(stage: FakeStage, clock: Clock | None = None) -> PlaceCounts:
    return PlaceCounts(
        cast("Any", {STAGE: stage}), stage.resolve, lambda _, pod: stage.worker_count(pod), clock or Clock()
    )


async def test_two_pods_that_take_one_and_four_give_five_places() -> None:
    counts = counts_of(FakeStage(a=1, b=4))
    assert counts[STAGE] == LEAST  # before the first look

    await counts.look()

    assert counts[STAGE] == 5


async def test_a_pod_more_and_a_pod_less_change_the_number() -> None:
    stage = FakeStage(a=4)
    counts = counts_of(stage)
    seen = []
    for pods in ({"a": 4}, {"a": 4, "b": 4}, {"b": 4}):
        stage.pods = dict(pods)
        await counts.look()
        seen.append(counts[STAGE])

    assert seen == [4, 8, 4]
    assert stage.asked == ["a", "b"]  # and no pod again and again


async def test_a_stage_that_is_away_keeps_its_last_number() -> None:
    stage, clock = FakeStage(a=4, b=4), Clock()
    counts = counts_of(stage, clock)
    await counts.look()
    stage.pods = {}  # the name has no address any more
    await counts.look()
    nameless = counts[STAGE]
    stage.pods = {"c": None}  # one that can't be asked yet
    clock.now_s = 2 * FRESH_S
    await counts.look()

    assert (nameless, counts[STAGE]) == (8, 8)


async def test_a_pod_that_says_something_else_later_is_believed() -> None:
    stage, clock = FakeStage(a=4), Clock()
    counts = counts_of(stage, clock)
    await counts.look()
    stage.pods = {"a": 16}
    clock.now_s = FRESH_S + 1
    await counts.look()

    assert counts[STAGE] == 16


async def test_pods_that_take_little_or_do_not_say_leave_the_least_number() -> None:
    one, older = counts_of(FakeStage(a=1)), counts_of(FakeStage(a=0, b=0))
    await one.look()
    await older.look()

    assert (one[STAGE], older[STAGE]) == (LEAST, 2 * LEAST)


async def test_the_number_is_bounded_whatever_pods_say() -> None:
    counts = counts_of(FakeStage(**{f"p{number}": 1_000_000 for number in range(9)}))
    await counts.look()

    assert counts[STAGE] == MAX_PLACE_COUNT


async def test_a_setting_fixes_the_number(tmp_path: Path) -> None:
    def stages(services: Mapping[str, Any], **told: Any) -> Any:
        media = MediaStore(tmp_path.as_uri())
        parts = Parts(settings_class()(**told), media, SessionStore(media), Channels(), services)
        return build_stages(parts)

    fixed, free = stages({}, vision_count=3)[STAGE], stages({})[STAGE]

    assert (fixed.place_count, follows_pods(fixed)) == (3, False)
    assert (free.place_count, follows_pods(free)) == (2, True)
    assert not any(follows_pods(stage) for stage in stages(FakeStages().services()).values())


async def test_places_that_come_are_given_out_at_once_and_those_that_go_after_they_were_given_back() -> None:
    counts = {STAGE: 1}
    places, inside, leave = OwnPlaces(counts), [0], asyncio.Event()

    async def work() -> None:
        async with places[STAGE]:
            inside[0] += 1
            await leave.wait()
            inside[0] -= 1

    tasks = [asyncio.create_task(work()) for _ in range(4)]
    await until(lambda: inside[0] == 1)
    counts[STAGE] = 3
    places.changed(STAGE)
    await until(lambda: inside[0] == 3)
    counts[STAGE] = 1
    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    assert places.count(STAGE) == 1
    leave.set()
    await asyncio.wait(tasks)
    async with places[STAGE]:
        pass


async def test_who_wants_all_places_is_content_with_fewer_where_fewer_are_left() -> None:
    counts = {STAGE: 3}
    places, inside = OwnPlaces(counts), asyncio.Event()

    async def stand_alone() -> None:
        async with alone(places, STAGE):
            inside.set()

    async with places[STAGE]:
        waiting = asyncio.create_task(stand_alone())
        await asyncio.sleep(0)
        counts[STAGE] = 2
        assert not inside.is_set()
    await asyncio.wait_for(waiting, 60)

    assert inside.is_set()


@pytest.mark.parametrize(
    ("address", "pods"),
    [
        ("127.0.0.1:50051", ("127.0.0.1:50051",)),
        ("dns:///127.0.0.1:50051", ("127.0.0.1:50051",)),
        ("ipv4:127.0.0.1:1,127.0.0.2:1", ("ipv4:127.0.0.1:1,127.0.0.2:1",)),
        ("dns://10.0.0.2/transcriber:50051", ("dns://10.0.0.2/transcriber:50051",)),
        ("[::1]:50051", ("[::1]:50051",)),
        ("no-such-name.invalid:50051", ()),
    ],
)
async def test_the_pods_behind_an_address(address: str, pods: tuple[str, ...]) -> None:
    assert await addresses_of(address) == pods
