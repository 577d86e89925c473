"""Pure: how long a session took, from the journaled durations of its stages.

Each duration comes from a monotonic clock and is kept in the journal. So neither a host whose clock is
set nor a restart changes the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.workflow import ASSESS, EXTRACT, FETCH, SPEAKER, TRANSCRIBE, TRANSLATE, VISION, StageRecord

BRANCHES = ((TRANSCRIBE, TRANSLATE, ASSESS), (VISION,), (SPEAKER,))
"""What runs side by side behind the extraction. The stages of one branch run one after the other. A stage
that stands nowhere is a branch of its own."""
PLACED = frozenset({FETCH, EXTRACT}.union(*BRANCHES))
"""The stages that stand somewhere."""


def processing_s(answers: Iterable[Mapping[str, StageRecord]]) -> float:
    """Return the length of the longest chain of stages, in seconds.

    Args:
        answers: The stage records of each answer. Answers run side by side.

    Returns:
        `max over answers (fetch, of a link + extract + max over branches (sum of the branch))`, where a
        stage counts with `queue_s + run_s`. 0 without answers. A stage whose output was there already counts
        with the time that it took when it was made.
    """
    return max((_answer_s(records) for records in answers), default=0.0)


def _answer_s(records: Mapping[str, StageRecord]) -> float:
    branches = [*BRANCHES, *((stage,) for stage in records if stage not in PLACED)]
    longest_s = max(sum(_stage_s(records[stage]) for stage in branch) for branch in branches)
    first_s = sum(_stage_s(records[stage]) for stage in (FETCH, EXTRACT) if stage in records)
    return first_s + longest_s


def _stage_s(record: StageRecord) -> float:
    return record.queue_s + record.run_s
