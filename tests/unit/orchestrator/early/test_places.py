"""Places at the stages: accepted sessions first, early work gets what is left."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.early.places import NoPlaceError, YieldingPlaces
from orchestrator.running.places import alone, own_places

pytestmark = pytest.mark.anyio

STAGE = "vision"


class EarlyHolder:
    """Holds a place until it is told to go."""

    def __init__(self, places: YieldingPlaces) -> None:
        self.told_to_go = asyncio.Event()
        self.holds = asyncio.Event()
        self.task = asyncio.create_task(self._hold(places))

    async def _hold(self, places: YieldingPlaces) -> None:
        async with places.left_over(STAGE, self.told_to_go.set) as self.place:
            self.holds.set()
            await self.told_to_go.wait()


def places_of(count: int) -> YieldingPlaces:
    return YieldingPlaces(own_places({STAGE: count}), {STAGE: count})


async def test_early_work_gets_no_place_that_a_session_holds_or_waits_for() -> None:
    places = places_of(1)
    async with places[STAGE]:
        with pytest.raises(NoPlaceError):
            async with places.left_over(STAGE, lambda: None):
                pass

    async with places.left_over(STAGE, lambda: None):
        pass


async def test_a_session_that_would_wait_gets_the_place_of_the_youngest_early_work() -> None:
    places = places_of(2)
    older = EarlyHolder(places)
    await older.holds.wait()
    younger = EarlyHolder(places)
    await younger.holds.wait()

    async with places[STAGE]:
        assert (older.told_to_go.is_set(), younger.told_to_go.is_set()) == (False, True)
        async with places[STAGE]:
            assert older.told_to_go.is_set()
    await asyncio.gather(older.task, younger.task)


async def test_a_session_with_a_free_place_sends_nobody_away() -> None:
    places = places_of(2)
    early = EarlyHolder(places)
    await early.holds.wait()

    async with places[STAGE]:
        assert not early.told_to_go.is_set()
    early.told_to_go.set()
    await early.task


async def test_early_work_that_a_session_waits_for_is_not_sent_away() -> None:
    places = places_of(1)
    early = EarlyHolder(places)
    await early.holds.wait()
    early.place.is_kept = True

    async def session() -> None:
        async with places[STAGE]:
            pass

    waiting = asyncio.create_task(session())
    await asyncio.sleep(0.05)
    assert not early.told_to_go.is_set() and not waiting.done()

    early.told_to_go.set()
    await asyncio.gather(early.task, waiting)


async def test_who_has_to_stand_alone_sends_all_early_work_away() -> None:
    places = places_of(3)
    early = EarlyHolder(places)
    await early.holds.wait()

    async with alone(places, STAGE):
        assert early.told_to_go.is_set()
    await early.task
