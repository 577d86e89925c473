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
