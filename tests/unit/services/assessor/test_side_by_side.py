"""The calls of one answer that need not wait for each other do not, where the model's server takes them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply, Token
from chassis.deadline import Deadline
from chassis.errors import CancelledCallError, UnavailableError
from services.assessor.checks import Calibration, Offset
from services.assessor.engine import Assessor
from services.assessor.judging import ModelJudge
from services.assessor.settings import AssessorSettings
from tests.fakes.assessor import BASELINE_JUDGE, CONCRETE, PROMPTS, RUBRICS, FakeModel, tell, written

CHECKS = ("specific_event", "own_action", "outcome", "learning")
YES = ChatReply("yes", (Token("yes", {"yes": -0.1, "no": -2.3}),))


class WatchedModel(FakeModel):
    """Counts the calls that are under way. Checks and conclusion wait until `together` of them are there."""

    def __init__(self, together: int = 1, failing: str = "") -> None:
        super().__init__(tell)
        self.most = 0
        self._failing = failing
        self._under_way = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(together, timeout=30)

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        try:
            return self._reply(request, deadline)
        finally:
            with self._lock:
                self._under_way -= 1

    def _reply(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        if request.schema is not None:
            return super().complete(request, deadline)
        self._together.wait()
        if self._failing and self._failing in request.messages[-1].content:
            raise UnavailableError("down", reason="MODEL_UNAVAILABLE")
        return YES if request.max_tokens == 1 else super().complete(request, deadline)


class PatientModel(FakeModel):
    """Answers checks and conclusions only when the caller has given up."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(tell)
        self._stop = stop
        self._together = threading.Barrier(len(CHECKS) + 1, action=stop.set, timeout=30)
        self.ended: list[str] = []

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        if request.schema is not None:
            return super().complete(request, deadline)
        self._together.wait()
        self.ended.append(request.messages[-1].content)
        deadline.check_stop()
        raise AssertionError("the caller had given up")


def assessor(model: FakeModel, calls_at_once: int) -> Assessor:
    offsets = {check_id: Offset(offset=0.0, scale=1.0) for check_id in CHECKS}
    judge = ModelJudge(
        model,
        prompts=PROMPTS,
        calibration=Calibration(models={"fake-model": {PROMPTS["en"].version: offsets}}),
        seed=7,
        max_tokens=512,
        calls_at_once=calls_at_once,
    )
    return Assessor(
        model_judge=judge, baseline_judge=BASELINE_JUDGE, rubrics=RUBRICS, language_codes=sorted(PROMPTS)
    )


def test_six_round_trips_become_two() -> None:
    model = WatchedModel(together=len(CHECKS) + 1)

    assessment = assessor(model, 8).assess(written(CONCRETE), Deadline(60.0))

    assert model.most == len(CHECKS) + 1
    assert assessment.conclusion is not None
    assert assessment.provenance.prompt_token_count == 150


def test_a_server_with_one_place_is_asked_one_after_another_and_judges_the_same() -> None:
    alone, together = WatchedModel(), WatchedModel(together=len(CHECKS) + 1)

    one, many = (
        assessor(model, at_once).assess(written(CONCRETE), Deadline(60.0))
        for model, at_once in ((alone, 1), (together, 8))
    )

    assert alone.most == 1
    assert one == many


def test_a_check_that_fails_beside_the_others_leaves_the_tags_and_the_conclusion() -> None:
    model = WatchedModel(together=len(CHECKS) + 1, failing=PROMPTS["en"].checks["outcome"])

    assessment = assessor(model, 8).assess(written(CONCRETE), Deadline(60.0))

    assert assessment.total_score is not None
    assert assessment.conclusion is not None


def test_a_caller_who_gives_up_ends_every_call_that_is_under_way() -> None:
    stop = threading.Event()
    model = PatientModel(stop)

    with pytest.raises(CancelledCallError):
        assessor(model, 8).assess(written(CONCRETE), Deadline(60.0, stop))

    assert len(model.ended) == len(CHECKS) + 1


def test_a_long_answers_batches_are_asked_about_side_by_side_and_keep_their_order() -> None:
    sentences = [f"I carried box number {number} up to the attic." for number in range(60)]

    one, many = (
        assessor(WatchedModel(), at_once).assess(written(" ".join(sentences)), Deadline(60.0))
        for at_once in (1, 8)
    )

    assert [item.sentence.text for item in many.sentences] == sentences
    assert one == many


@pytest.mark.parametrize(
    ("settings", "calls_at_once"),
    [
        ({"llm_base_url": "http://127.0.0.1:8091/v1"}, 1),
        ({"llm_base_url": "http://localhost:8091/v1"}, 1),
        ({"llm_base_url": "http://[::1]:8091/v1"}, 1),
        ({"llm_base_url": "https://models.example/v1"}, 8),
        ({"hf_token": "t"}, 8),
        ({"hf_token": "t", "hf_endpoint_url": "http://127.0.0.1:8080"}, 1),
        ({"llm_base_url": "http://127.0.0.1:8091/v1", "calls_at_once": 4}, 4),
    ],
)
def test_how_many_calls_are_made_at_a_time_follows_from_where_the_model_is(
    settings: dict[str, Any], calls_at_once: int
) -> None:
    assert AssessorSettings(**settings).chosen_calls_at_once == calls_at_once


def test_the_instructions_are_what_every_question_about_an_answer_begins_with() -> None:
    model = FakeModel(tell)

    assessor(model, 1).assess(written(CONCRETE), Deadline(60.0))

    *kept, opening = PROMPTS["en"].instructions()
    tags, *checks, _ = model.asked
    for asked in (tags, *checks):
        assert list(asked[: len(kept)]) == kept
        assert asked[len(kept)].content.startswith(opening.content)
