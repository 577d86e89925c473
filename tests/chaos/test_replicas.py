"""Two orchestrators on Postgres: one dies, freezes or is replaced, and the other goes on with its work."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.processes import Process, until
from tests.chaos.replicas import no_places_held, owned_by, takeover_s
from tests.chaos.system import System, system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

SESSION_COUNT = 10
FROZEN_S = 12.0
CLOCK = "tests.fakes.wrong_clock"


def two_at_work(made: System) -> tuple[Process, Process]:
    """Return two replicas that both work on sessions."""
    one, other = made.orchestrator("a"), made.orchestrator("b")
    for each in (one, other):
        each.start()
    for each in (one, other):
        each.wait_listening()
    made.submit(SESSION_COUNT)
    until(lambda: owned_by(made.database_url, "a") and owned_by(made.database_url, "b"), "one has no work")
    made.wait_noted(2)
    return one, other


def test_a_replica_that_is_killed_for_good_loses_nothing(
    tmp_path: Path, row: Callable[[str], Row], postgres_url: str
) -> None:
    with system(tmp_path, row("Postgres: one of two replicas killed for good"), postgres_url) as made:
        one, _ = two_at_work(made)
        sessions = owned_by(postgres_url, "a")
        one.kill()
        made.row.takeover_s = takeover_s(postgres_url, "a", time.monotonic(), sessions)
        made.account()
        no_places_held(postgres_url)
        made.orchestrator("c").up()  # What comes in its place removes the folders that it worked in.
        until(lambda: not list(made.scratch.iterdir()), "the dead one's folders stay")


def test_a_replica_that_is_frozen_and_thawed_writes_nothing_any_more(
    tmp_path: Path, row: Callable[[str], Row], postgres_url: str
) -> None:
    with system(tmp_path, row("Postgres: one of two frozen for 12 s, then thawed"), postgres_url) as made:
        one, _ = two_at_work(made)
        sessions, begin_s = owned_by(postgres_url, "a"), time.monotonic()
        one.send(signal.SIGSTOP)
        made.row.takeover_s = takeover_s(postgres_url, "a", begin_s, sessions)
        time.sleep(max(0.0, FROZEN_S - (time.monotonic() - begin_s)))
        one.send(signal.SIGCONT)
        # What it was about to ask of a stage when it froze, it may ask after it thawed.
        made.account(repeats_allowed=len(sessions))
        assert one.alive, one.log()
        no_places_held(postgres_url)


def test_a_rolling_restart_hands_sessions_over_at_once(
    tmp_path: Path, row: Callable[[str], Row], postgres_url: str
) -> None:
    with system(tmp_path, row("Postgres: both replicas replaced, one after the other"), postgres_url) as made:
        slowest_s = 0.0
        for old, new in zip(two_at_work(made), ("c", "d"), strict=True):
            made.orchestrator(new).up()
            made.submit(2)
            sessions = owned_by(postgres_url, old.name)
            old.send(signal.SIGTERM)
            assert old.wait() == 0, old.log()
            slowest_s = max(slowest_s, takeover_s(postgres_url, old.name, time.monotonic(), sessions))
        made.row.takeover_s = slowest_s
        made.account()
        no_places_held(postgres_url)


def test_replicas_whose_clocks_are_hours_apart_do_not_take_each_other_for_dead(
    tmp_path: Path, row: Callable[[str], Row], postgres_url: str
) -> None:
    with system(
        tmp_path, row("Postgres: clocks set by two hours, one on and one back"), postgres_url
    ) as made:
        ahead = made.orchestrator("a", module=CLOCK, WRONG_CLOCK_FILE=str(tmp_path / "ahead"))
        behind = made.orchestrator("b", module=CLOCK, WRONG_CLOCK_FILE=str(tmp_path / "behind"))
        for each in (ahead, behind):
            each.start()
        for each in (ahead, behind):
            each.wait_listening()
        made.submit(SESSION_COUNT // 2)
        made.wait_noted(2)
        (tmp_path / "ahead").write_text("7200")
        (tmp_path / "behind").write_text("-7200")
        made.submit(SESSION_COUNT // 2)
        made.account()
        logs = ahead.log() + behind.log()
        assert "taking over" not in logs, logs
