"""A stage that dies or hangs over one input: that input is given up, and no other one is."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InterviewError
from interview.v1 import orchestrator_pb2
from orchestrator.running.attempts import Standing
from orchestrator.running.places import Places, alone, own_places
from orchestrator.stages.stage import OnProgress
from orchestrator.stages.troubles import StageAwayError, StageDiedError, StageHungError, StageStoppedError
from tests.fakes.stages import a_vision_report
from tests.runner_bench import Bench

pytestmark = pytest.mark.anyio
ENOUGH_ATTEMPTS = 6


class Process:
    """A process `vision`. It dies of deadly recordings, with all that it works on, and is there again."""

    def __init__(self, bench: Bench, *deadly: str, crowd: int = 1) -> None:
        self.deadly, self.deaths = deadly, 0
        self.crowd, self.crowded = crowd, asyncio.Event()
        """How many are at work together before the first one gets on."""
        self.at_work: dict[str, asyncio.Future[None]] = {}
        self.begun: Counter[str] = Counter()
        self.company: list[dict[str, int]] = []
        """For each time that work was begun: on what it worked then, and how often that was begun."""
        bench.stages.instead["vision"] = self.serve

    async def serve(self, request: Any, on_progress: OnProgress) -> Any:
        uri = request.recording.uri
        self.at_work[uri] = death = asyncio.get_running_loop().create_future()
        self.begun[uri] += 1
        self.company.append({one: self.begun[one] for one in self.at_work})
        if len(self.at_work) == self.crowd:
            self.crowded.set()
        try:
            await self.crowded.wait()
            await asyncio.wait({death}, timeout=0.02)
            if death.done():
                raise StageDiedError
            if uri in self.deadly:
                self.die()
                raise StageDiedError
            return a_vision_report()
        finally:
            self.at_work.pop(uri, None)

    def die(self) -> None:
        self.deaths += 1
        for death in self.at_work.values():
            if not death.done():
                death.set_result(None)


def uri_of(session: orchestrator_pb2.CreateSessionRequest) -> str:
    return str(session.answers[0].uri)


async def test_an_input_that_killed_its_stage_twice_is_not_tried_a_third_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, attempt_count=ENOUGH_ATTEMPTS)
    process = Process(bench, uri_of(bench.session))
    record = await bench.vision()

    assert (record.state, record.reason, record.attempt_count) == ("failed", "STAGE_DIED_TWICE", 2)
    assert process.deaths == 2
    assert "stage" not in record.message, "who reads it knows nothing of stages"


async def test_sessions_that_were_at_work_beside_a_deadly_one_lose_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, place_count=4, attempt_count=ENOUGH_ATTEMPTS)
    deadly, *others = [bench.a_session() for _ in range(10)]
    process = Process(bench, uri_of(deadly))
    guilty, *innocent = await asyncio.gather(*(bench.vision(one) for one in (deadly, *others)))

    assert guilty.reason == "STAGE_DIED_TWICE"
    assert [record.state for record in innocent] == ["done"] * 9
    assert process.deaths == 2


async def test_two_deadly_ones_that_begin_together_cost_no_other_session_anything(tmp_path: Path) -> None:
    bench = Bench(tmp_path, place_count=4, attempt_count=ENOUGH_ATTEMPTS)
    sessions = [bench.a_session() for _ in range(8)]
    process = Process(bench, uri_of(sessions[0]), uri_of(sessions[1]))
    records = await asyncio.gather(*(bench.vision(one) for one in sessions))

    assert [record.reason for record in records[:2]] == ["STAGE_DIED_TWICE"] * 2
    assert [record.state for record in records[2:]] == ["done"] * 6
    assert process.deaths <= 4


async def test_a_suspect_is_tried_again_while_nothing_else_is_at_work(tmp_path: Path) -> None:
    bench = Bench(tmp_path, place_count=3, attempt_count=ENOUGH_ATTEMPTS)
    sessions = [bench.a_session() for _ in range(6)]
    process = Process(bench, uri_of(sessions[0]), crowd=3)
    await asyncio.gather(*(bench.vision(one) for one in sessions))

    assert max(len(company) for company in process.company) == 3
    again = [company for company in process.company if any(attempt > 1 for attempt in company.values())]
    assert again
    assert {len(company) for company in again} == {1}


async def test_a_suspect_that_waits_for_its_turn_says_so_in_words_for_everybody(tmp_path: Path) -> None:
    bench = Bench(tmp_path, attempt_count=ENOUGH_ATTEMPTS)
    Process(bench)
    began = Standing(time.time(), "STAGE_AWAY", kill_count=1)
    record = await bench.vision(standing=began)

    waits = next(standing for standing in bench.heard if standing.reason == "STAGE_DIED_ONCE")
    assert record.state == "done"
    assert waits.waiting_since_s == began.waiting_since_s
    assert "tried once more" in waits.message
    assert "stage" not in waits.message


async def test_a_death_is_remembered_across_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, attempt_count=ENOUGH_ATTEMPTS)
    process = Process(bench, uri_of(bench.session))
    record = await bench.vision(standing=Standing(kill_count=1))

    assert (record.reason, process.deaths) == ("STAGE_DIED_TWICE", 1)


async def test_a_death_is_told_so_that_it_can_be_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path, attempt_count=ENOUGH_ATTEMPTS)
    bench.stages.failures["vision"] = [StageDiedError(), StageAwayError()]
    bench.stages.seconds = 0.2
    record = await bench.vision()

    assert (record.state, record.attempt_count) == ("done", 2)
    assert [told.kill_count for told in bench.heard] == [1, 1]


@pytest.mark.parametrize("error", [StageStoppedError(), StageAwayError()])
async def test_a_stage_that_was_stopped_in_good_order_makes_no_suspect(
    tmp_path: Path, error: InterviewError
) -> None:
    bench = Bench(tmp_path, attempt_count=ENOUGH_ATTEMPTS)
    bench.stages.failures["vision"] = [error, error, error]
    record = await bench.vision()

    assert record.state == "done"
    assert {told.kill_count for told in bench.heard} == {0}


async def test_an_input_with_which_a_stage_hung_twice_is_not_tried_a_third_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, attempt_count=ENOUGH_ATTEMPTS)
    bench.stages.failures["vision"] = [StageHungError(), StageHungError()]
    record = await bench.vision()

    assert (record.state, record.reason, record.attempt_count) == ("failed", "STAGE_HUNG", 2)


async def test_two_who_want_to_stand_alone_do_not_wait_for_each_other() -> None:
    places = own_places({"vision": 3})
    inside, most_inside = 0, 0

    async def stand(to_stand_alone: bool) -> None:
        nonlocal inside, most_inside
        async with alone(places, "vision") if to_stand_alone else places["vision"]:
            inside += 1
            most_inside = max(most_inside, inside)
            assert not to_stand_alone or inside == 1
            await asyncio.sleep(0.002)
            inside -= 1

    await asyncio.gather(*(stand(number % 2 == 0) for number in range(12)))

    assert most_inside == 3


async def test_who_gives_up_standing_alone_gives_all_places_back() -> None:
    places = own_places({"vision": 2})
    async with places["vision"]:
        impatient = asyncio.create_task(_stand_alone(places))
        await asyncio.sleep(0.01)
        impatient.cancel()
        await asyncio.wait({impatient})
    async with asyncio.timeout(60), places["vision"], places["vision"]:
        assert impatient.cancelled()


async def _stand_alone(places: Places) -> None:
    async with alone(places, "vision"):
        pass
