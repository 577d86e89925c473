"""An answer's assessment against one prompt for its level, on the same warm server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.assessor.corpus import Case, mixed, read_cases
from benchmarks.assessor.judges import OneShotJudge
from benchmarks.session.arms import LLM_MODEL, RunningArm
from benchmarks.session.counting_proxy import Calls, added_up
from chassis.chat_completions import ChatClient, ChatServer
from services.assessor.language_model import ServedModel

ANSWERS = 4
CALL_TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class AssessFigures:
    """Seconds an answer, as the median, and what the model was asked."""

    assess_s: float
    one_shot_s: float
    answer_count: int
    calls: int
    tokens_read: int
    tokens_written: int
    model_s: float
    """Of all answers' assessments together, as the three before it."""


def assess_figures(arm: RunningArm, answer_count: int = ANSWERS) -> AssessFigures:
    """Assess answers that the server has not seen, then ask for each one's level in one prompt."""
    first, *cases = _cases(answer_count + 1)
    _assess(arm, [first])  # the instructions are read once, before anything is counted
    arm.calls()
    walls_s = _assess(arm, cases)
    calls: Calls = added_up(arm.calls())
    server = ChatServer(f"{arm.proxy_url}/one-shot/v1", LLM_MODEL, attempt_timeout_s=CALL_TIMEOUT_S)
    judge = OneShotJudge(ServedModel("openai", ChatClient(server), name="", digest="", device="server"))
    judge.judge(first)
    shots_s = [_timed(judge, case) for case in cases]
    return AssessFigures(
        statistics.median(walls_s),
        statistics.median(shots_s),
        len(cases),
        calls.count,
        calls.tokens_read,
        calls.tokens_written,
        calls.model_s,
    )


def _cases(count: int) -> Sequence[Case]:
    ordinary = [case for case in read_cases() if case.adversarial is None and case.language_code == "en"]
    return mixed(ordinary)[:count]


def _assess(arm: RunningArm, cases: Sequence[Case]) -> list[float]:
    answers = [
        {
            "question": case.question,
            "sentences": [sentence.text for sentence in case.sentences],
            "language_code": case.language_code,
        }
        for case in cases
    ]
    return [float(wall_s) for wall_s in arm.ask(assess=answers)["walls_s"]]


def _timed(judge: OneShotJudge, case: Case) -> float:
    begin_s = time.monotonic()
    judge.judge(case)
    return time.monotonic() - begin_s
