"""The real stages are killed while they work, and the results are those of a run that nobody disturbed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.processes import until
from tests.chaos.real_system import RealSystem, differences, real_system, skip_without_models
from tests.chaos.tally import Row
from tests.folders import ROOT

pytestmark = pytest.mark.chaos

CLIP = ROOT / "demo"
MARKERS = {
    # Who takes a recording is told where it lies. It is at work for seconds.
    "transcriber": (b"file://", True),
    "vision": (b"file://", True),
    "speaker": (b"file://", True),
    # Those two have done within milliseconds, without a model: words that were said, and the question.
    "translator": (b"the ", False),
    "assessor": (b"hard problem", False),
}


def submit_both(made: RealSystem) -> list[str]:
    """Submit the demo's two answers as two sessions."""
    listed = json.loads((CLIP / "questions.json").read_text(encoding="utf-8"))["answers"]
    return [made.submit((CLIP / answer["file"], str(answer["question"]))) for answer in listed]


def test_real_stages_that_are_killed_at_work_leave_the_results_of_an_undisturbed_run(
    tmp_path: Path, row: Callable[[str], Row]
) -> None:
    skip_without_models()
    scenario = row("SQLite, the real stages: each killed at work, and the orchestrator")
    with real_system(tmp_path) as made:
        undisturbed = [made.result(session_id) for session_id in submit_both(made)]
        kills = [made.kill_at_work(name, marker, busy=busy) for name, (marker, busy) in MARKERS.items()]
        sessions = submit_both(made)
        orchestrator, outputs = made.processes["orchestrator"], made.store / "sessions"
        until(
            lambda: list(outputs.glob(f"{sessions[0]}/outputs/*/transcribe-*.pb")), "nobody transcribes", 600
        )
        orchestrator.kill()
        orchestrator.start()
        disturbed = [made.result(session_id) for session_id in sessions]
        for kill in kills:
            kill.result(timeout=0)
        written = made.account()
        scenario.accepted = len(made.accepted)
        scenario.finished = len(undisturbed + disturbed)
        scenario.completed = sum(one["status"] == "completed" for one in undisturbed + disturbed)
        scenario.lost = scenario.accepted - len(written)
        scenario.doubled = sum(count != 1 for count in written.values())

        assert differences(undisturbed, disturbed) == []
        assert written == dict.fromkeys(made.accepted, 1)
        assert scenario.completed == scenario.accepted
