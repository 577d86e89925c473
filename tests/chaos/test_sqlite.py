"""One orchestrator on SQLite is killed again and again: nothing is lost and nothing done twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.system import system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

KILL_COUNT = 10
SESSION_COUNT = 8
CLOCK = "tests.fakes.wrong_clock"


def test_kill_9_at_random_moments_loses_and_doubles_nothing(
    tmp_path: Path, row: Callable[[str], Row]
) -> None:
    moments = random.Random(11)
    with system(tmp_path, row("SQLite: orchestrator killed 10 times")) as made:
        one = made.orchestrator("local").up()
        made.submit(SESSION_COUNT)
        for _ in range(KILL_COUNT):
            time.sleep(moments.uniform(0.2, 2.5))
            one.kill()
            one.up()
        made.account()


@pytest.mark.parametrize("set_by_s", [7200, -7200], ids=["on", "back"])
def test_a_clock_that_is_set_by_hours_loses_and_doubles_nothing(
    tmp_path: Path, row: Callable[[str], Row], set_by_s: int
) -> None:
    way = "on" if set_by_s > 0 else "back"
    with system(tmp_path, row(f"SQLite: clock set {way} by two hours, orchestrator killed after it")) as made:
        one = made.orchestrator("local", module=CLOCK, WRONG_CLOCK_FILE=str(tmp_path / "clock")).up()
        made.submit(SESSION_COUNT // 2)
        made.wait_noted(2)
        (tmp_path / "clock").write_text(str(set_by_s))
        made.submit(SESSION_COUNT // 2)
        made.wait_noted(8)
        one.kill()
        one.up()
        made.account()
