"""How long a session took follows from the journal, whatever the host's clock said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.result.document import build
from orchestrator.result.metadata import SessionMetadata
from orchestrator.result.processing_time import processing_s
from orchestrator.workflow import StageRecord, stages_of
from tests.fakes.answer import an_answer


def records(**durations_s: float) -> dict[str, StageRecord]:
    return {
        stage: StageRecord(stage, "done", run_s=durations_s.get(stage, 0.0))
        for stage in stages_of(linked=False)
    }


def test_it_is_the_longest_chain_with_its_waits() -> None:
    chain = records(extract=1, transcribe=10, translate=2, assess=3, vision=14, speaker=4)
    waited = chain | {"assess": replace(chain["assess"], queue_s=0.5)}

    assert processing_s([chain]) == 16
    assert processing_s([waited]) == 16.5
    assert processing_s([records(extract=1, vision=14)]) == 15


def test_a_stage_that_stands_in_no_branch_runs_beside_them() -> None:
    further = {"pauses": StageRecord("pauses", "done", run_s=9.0, queue_s=0.5)}
    assert processing_s([records(extract=1, vision=4) | further]) == 10.5


def test_fetching_a_link_is_part_of_it() -> None:
    linked = {"fetch": StageRecord("fetch", "done", queue_s=1, run_s=20)} | records(extract=1, vision=14)

    assert processing_s([linked]) == 36


def test_answers_run_side_by_side() -> None:
    assert processing_s([records(extract=1), records(extract=7), records(extract=2)]) == 7
    assert processing_s([]) == 0


@pytest.mark.parametrize("set_by_s", [-7200.0, 0.0, 7200.0])
def test_a_clock_that_is_set_changes_nothing_but_dates(set_by_s: float) -> None:
    metadata = SessionMetadata("0" * 32, "", "completed", 1.7e9, 1.7e9 + 7 + set_by_s, "ab" * 32, "0.1.0")
    document = build(metadata, [an_answer(records=records(extract=1, transcribe=5))])

    assert document["processing_time"] == 6.0
    assert json.dumps(document)
