"""What an assessment asks of a model is counted by kind, without what its server had read before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.assessor.corpus import mixed, read_cases
from benchmarks.assessor.cost import CountingModel, measure, to_json
from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from tests.fakes.assessor import FakeModel


class KeepingModel(FakeModel):
    """Has read most of each prompt before."""

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        return replace(super().complete(request, deadline), cached_prompt_token_count=40)


def test_tags_and_conclusions_are_counted_apart_and_the_first_answer_is_not() -> None:
    cases = [case for case in mixed(read_cases()) if case.adversarial is None and case.level > 1][:3]

    costs = measure(CountingModel(KeepingModel()), cases)

    assert (costs["tags"].calls, costs["tags"].tokens_read, costs["tags"].tokens_written) == (2, 120, 20)
    assert (costs["conclusion"].calls, costs["conclusion"].tokens_read) == (2, 20)
    assert costs["one-shot"].calls == 2
    line = to_json(costs, 2)
    assert line["model_calls_per_answer"] == 2
    assert line["tokens_read_per_answer"] == pytest.approx(70)
    assert line["assess_over_one_shot"] > 0
