"""Postgres is stopped and started in the middle of the work, in good order and as by a crash."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.system import system
from tests.chaos.tally import Row
from tests.postgres_server import own_cluster

pytestmark = pytest.mark.chaos

SESSION_COUNT = 8
AWAY_S = 3.0


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_of_the_database_loses_nothing_and_makes_nobody_look_dead(
    tmp_path: Path, row: Callable[[str], Row], how: str
) -> None:
    with own_cluster() as server:  # With every safety on: it must keep what it said it keeps.
        url = server.create_database()
        with system(tmp_path, row(f"Postgres: restarted ({how}) in mid-work"), url) as made:
            replicas = [made.orchestrator(name) for name in ("a", "b")]
            for one in replicas:
                one.start()
            for one in replicas:
                one.wait_listening()
            made.submit(SESSION_COUNT)
            made.wait_noted(3)
            server.stop(how)
            time.sleep(AWAY_S)
            server.start()
            made.account()
            logs = "".join(one.log() for one in replicas)
            assert "taking over" not in logs, logs
