"""A stage that is away or full is waited for, and no attempt is spent on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import ExhaustedError, InterviewError, UnavailableError
from chassis.store import MediaStore
from orchestrator.running.attempts import Standing
from orchestrator.running.watch import Pace, StageWatch
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.stage import OnProgress
from orchestrator.stages.troubles import StageAwayError
from orchestrator.workflow import StageRecord
from tests.fakes.stages import a_vision_report
from tests.runner_bench import HURRIED, SESSION_ID, Bench

pytestmark = pytest.mark.anyio
LONG_AWAY_COUNT = 40
"""Many times what the attempts would have lasted for."""


def away() -> InterviewError:
    return StageAwayError()


def full() -> InterviewError:
    return ExhaustedError("It is full.", reason="QUEUE_FULL", retry_after_s=0.001)


class Door:
    """A stage `vision` that is away until it is opened, and counts who is in it."""

    def __init__(self, bench: Bench) -> None:
        self.open, self.refused_count, self.inside, self.most_inside = False, 0, 0, 0
        self.done: list[Any] = []
        bench.stages.instead["vision"] = self.serve

    async def serve(self, request: Any, on_progress: OnProgress) -> Any:
        if not self.open:
            self.refused_count += 1
            raise StageAwayError
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await asyncio.sleep(0.01)
        self.inside -= 1
        self.done.append(request)
        return a_vision_report()


def without_store() -> InterviewError:
    return UnavailableError("The store is away.", reason="STORE_UNAVAILABLE")


@pytest.mark.parametrize("trouble", [away, full, without_store])
async def test_a_stage_that_is_away_or_full_for_long_uses_up_no_attempt(
    tmp_path: Path, trouble: Callable[[], InterviewError]
) -> None:
    bench = Bench(tmp_path)
    bench.stages.failures["vision"] = [trouble() for _ in range(LONG_AWAY_COUNT)]
    record = await bench.vision()

    assert (record.state, record.attempt_count) == ("done", 1)
    assert bench.stages.calls["vision"] == LONG_AWAY_COUNT + 1


async def test_answers_of_the_stage_are_counted_across_its_absence(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    broken = UnavailableError("The model is away.", reason="MODEL_UNAVAILABLE")
    bench.stages.failures["vision"] = [broken, away(), broken, away(), broken, away()]
    record = await bench.vision()

    assert (record.state, record.reason, record.attempt_count) == ("failed", "MODEL_UNAVAILABLE", 3)


async def test_waiting_is_told_once_with_its_beginning_and_its_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stages.failures["vision"] = [away() for _ in range(5)]
    bench.stages.seconds = 0.2
    await bench.vision()
    begun, over = bench.heard

    assert begun.waiting_since_s is not None
    assert (begun.reason, begun.message) == (
        "STAGE_AWAY",
        "Waiting for the vision service. It goes on by itself.",
    )
    assert over.waiting_since_s is None


async def test_who_waited_before_a_restart_has_waited_since_then(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stages.failures["vision"] = [away(), full(), away()]
    record = await bench.vision(standing=Standing(waiting_since_s=1_000.0, reason="STAGE_AWAY"))

    assert record.reason == "STAGE_AWAY_TOO_LONG"  # Since 1970 is more than a minute.
    assert {told.waiting_since_s for told in bench.heard} <= {1_000.0}


async def test_a_stage_that_stays_away_fails_after_the_longest_wait_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pace=Pace(0.2, 0.005, 0.001, 0.01))
    Door(bench)
    record = await bench.vision()

    assert (record.state, record.outcome) == ("failed", "SERVICE_UNAVAILABLE")
    assert (record.reason, record.attempt_count) == ("STAGE_AWAY_TOO_LONG", 0)


async def test_twenty_who_wait_are_let_in_by_the_stages_places_and_none_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    door = Door(bench)
    running = asyncio.gather(bench.vision_of_many(20))
    await bench.until_heard(20)
    door.open = True
    (records,) = await running

    assert [record.state for record in records] == ["done"] * 20
    assert {record.attempt_count for record in records} == {1}
    assert door.most_inside <= 2
    assert len(door.done) == 20


class TroubledOutputs(SessionStore):
    """A store that is away for the first uses of each kind."""

    def __init__(self, media: MediaStore) -> None:
        super().__init__(media)
        self.find_troubles, self.save_troubles = LONG_AWAY_COUNT, LONG_AWAY_COUNT

    async def find(self, key: str) -> StageRecord | None:
        if self.find_troubles:
            self.find_troubles -= 1
            raise without_store()
        return await super().find(key)

    async def save_once(self, *arguments: Any) -> None:
        if self.save_troubles:
            self.save_troubles -= 1
            raise UnavailableError("No room.", reason="STORE_FULL")
        await super().save_once(*arguments)


async def test_a_store_that_is_away_or_full_is_waited_for_and_no_work_is_done_twice(tmp_path: Path) -> None:
    bench = Bench(tmp_path, outputs=TroubledOutputs)
    record = await bench.vision()

    assert (record.state, record.attempt_count) == ("done", 1)
    assert bench.stages.calls["vision"] == 1
    assert {told.message for told in bench.heard} == {"Waiting for the media store. It goes on by itself."}


class AskedStore(SessionStore):
    """Tells when it was asked for the output of a stage of a session."""

    def __init__(self, media: MediaStore) -> None:
        super().__init__(media)
        self.asked = asyncio.Event()

    async def find(self, key: str) -> StageRecord | None:
        found = await super().find(key)
        if key.startswith(f"sessions/{SESSION_ID}/outputs/1/vision-"):
            self.asked.set()
        return found


async def test_what_another_replica_made_while_one_stood_in_line_is_not_made_again(tmp_path: Path) -> None:
    pace = replace(HURRIED, look_again_s=0.0)
    bench, successor = Bench(tmp_path, pace=pace, place_count=1, outputs=AskedStore), Bench(tmp_path)
    assert isinstance(bench.outputs, AskedStore)
    entered, leave = asyncio.Event(), asyncio.Event()
    served: list[Any] = []

    async def serve(request: Any, on_progress: OnProgress) -> Any:
        served.append(request)
        entered.set()
        await leave.wait()
        return a_vision_report()

    bench.stages.instead["vision"] = serve
    first = asyncio.create_task(bench.vision(bench.a_session()))
    await entered.wait()
    second = asyncio.create_task(bench.vision())
    await bench.outputs.asked.wait()  # Nothing was there, so it stands in line.
    made = await successor.vision()
    leave.set()

    assert (await first).state == "done"
    assert (await second).reused
    assert (await second).output_key == made.output_key
    assert len(served) == 1, "it was made again"


async def test_one_looks_for_the_stage_however_many_wait() -> None:
    looks: list[bool] = [False] * 5 + [True]
    watch = StageWatch(lambda: _next(looks), HURRIED)
    watch.close(away())
    await asyncio.gather(*(watch.turn() for _ in range(20)))

    assert looks == []


async def test_a_stage_that_is_full_again_stops_the_line() -> None:
    found = 0

    async def find() -> bool:
        nonlocal found
        found += 1
        return True

    watch = StageWatch(find, Pace(60.0, 0.005, 0.001, 0.01))
    watch.close(full())
    through: list[int] = []

    async def one(number: int) -> None:
        await watch.turn()
        through.append(number)
        if number < 3:
            watch.close(full())

    await asyncio.gather(*(one(number) for number in range(6)))

    assert through == [0, 1, 2, 3, 4, 5]
    assert found == 4  # After each of the three refusals it was looked for again.


async def test_who_gives_up_waiting_leaves_the_line_to_the_others() -> None:
    looks = [False] * 30 + [True]
    watch = StageWatch(lambda: _next(looks), HURRIED)
    watch.close(away())
    impatient, patient = asyncio.create_task(watch.turn()), asyncio.create_task(watch.turn())
    await asyncio.sleep(0)
    impatient.cancel()
    await patient

    assert impatient.cancelled()


async def test_a_look_that_fails_unexpectedly_strands_nobody() -> None:
    looks: list[Any] = [RuntimeError("odd"), True]
    watch = StageWatch(lambda: _next(looks), HURRIED)
    watch.close(away())
    await watch.turn()

    assert looks == []


async def _next(looks: list[Any]) -> bool:
    look = looks.pop(0)
    if isinstance(look, Exception):
        raise look
    return bool(look)
