"""Each stage is killed, frozen, hung, slow, away, or answers garbage, one after the other, under work."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.processes import until
from tests.chaos.system import SERVICES, System, system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

HUNG_S = 8.0
AWAY_S = 6.0
SPOILT_S = 2.0
TIMES = {
    f"ORCHESTRATOR_{name}_TIMEOUT_S": str(HUNG_S)
    for name in ("TRANSCRIBE", "TRANSLATE", "ASSESS", "VISION", "SPEAKER")
} | {"ORCHESTRATOR_STALL_TIMEOUT_S": "4"}
"""So that what hangs is given up within a scenario."""

Spoil = Callable[[System, str], None]


def killed(made: System, service: str) -> None:
    made.stages[service].kill()
    time.sleep(SPOILT_S)
    made.stages[service].start()


def frozen(made: System, service: str) -> None:
    made.stages[service].send(signal.SIGSTOP)
    time.sleep(SPOILT_S)
    made.stages[service].send(signal.SIGCONT)


def in_mood(word: str) -> Spoil:
    def spoil(made: System, service: str) -> None:
        made.mood(service, word)
        time.sleep(SPOILT_S)
        made.mood(service, "")

    return spoil


@pytest.mark.parametrize(
    ("name", "spoil", "all_completed"),
    [
        ("killed", killed, True),
        ("frozen", frozen, True),
        ("slow", in_mood("slow"), True),
        # What never answers, or answers garbage, may end a stage. It may not lose a session.
        ("hung", in_mood("hang"), False),
        ("answering garbage", in_mood("garbage"), False),
        ("answering hollow messages", in_mood("hollow"), False),
        ("answering numbers that are none", in_mood("nan"), False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stage_that_is_spoilt_for_a_while_loses_no_session(
    tmp_path: Path, row: Callable[[str], Row], name: str, spoil: Spoil, all_completed: bool
) -> None:
    with system(tmp_path, row(f"SQLite: each stage {name} for {SPOILT_S:.0f} s"), own=SERVICES) as made:
        made.orchestrator("local", **TIMES).up()
        for service in SERVICES:
            made.submit(2)
            spoil(made, service)
        made.account(all_completed=all_completed)


def test_work_goes_on_within_seconds_of_the_return_of_a_stage_that_was_away(
    tmp_path: Path, row: Callable[[str], Row]
) -> None:
    with system(tmp_path, row(f"SQLite: each stage away for {AWAY_S:.0f} s or more"), own=SERVICES) as made:
        made.orchestrator("local").up()
        for process in made.stages.values():
            process.kill()
        made.submit(8)
        time.sleep(AWAY_S)
        slowest_s = 0.0
        for service in SERVICES:  # In the order in which an answer needs them.
            before = made.begun(service)
            made.stages[service].up()
            back_s = time.monotonic()
            until(lambda: made.begun(service) > before, f"{service} is back, and nobody calls it")  # noqa: B023
            slowest_s = max(slowest_s, time.monotonic() - back_s)
        made.row.return_s = round(slowest_s, 1)
        made.account()
