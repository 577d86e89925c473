"""Tags asked for one by one are those of one reply by the schema, for fewer tokens written."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from chassis.chat_completions import ChatRequest, Message
from chassis.chat_replies import ChatReply, Token, read_completion
from chassis.deadline import Deadline
from chassis.errors import UnavailableError
from services.assessor.conversation import Conversation
from services.assessor.sentences import Sentence
from services.assessor.settings import AssessorSettings
from services.assessor.tagging import likeliest_tag, tag_sentences
from services.assessor.tags import Tag, TaggedSentence
from tests.fakes.assessor import PROMPTS, FakeModel, deadline

TWO = [Sentence("s1", "I asked."), Sentence("s2", "It worked.")]
GUESSES: dict[str, dict[str, float]] = {
    "s1": {"action": math.log(0.7), " situation": math.log(0.2), "x": math.log(0.1)},
    "s2": {"result": math.log(0.6), "less": math.log(0.4)},
}


class ContinuingModel(FakeModel):
    """Goes on with a reply that was begun, with the tokens of `GUESSES`."""

    def __init__(self, guesses: dict[str, dict[str, float]] = GUESSES, **rest: Any) -> None:
        super().__init__(lambda _: Tag.GENERAL, **rest)
        self.requests: list[ChatRequest] = []
        self._guesses = guesses

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        self.requests.append(request)
        if not request.continues:
            return super().complete(request, deadline)
        begun = request.messages[-1].content
        alternatives = self._guesses.get(begun.rsplit('"', 3)[1], {})
        text = max(alternatives, key=lambda word: alternatives[word], default="")
        return ChatReply(begun + text, (Token(text, alternatives),) if alternatives else ())


def tags_of(model: FakeModel, sentences: Sequence[Sentence] = TWO) -> tuple[TaggedSentence, ...]:
    conversation = Conversation(model, 7, 512)
    return tag_sentences(conversation, PROMPTS["en"], "", sentences, deadline(), one_by_one=True)


def test_each_tag_is_asked_for_behind_what_would_stand_before_it() -> None:
    model = ContinuingModel()

    first, second = tags_of(model)

    assert (first.tag, second.tag) == (Tag.ACTION, Tag.RESULT)
    assert [request.messages[-1] for request in model.requests] == [
        Message("assistant", '{"s1": "'),
        Message("assistant", '{"s1": "action", "s2": "'),
    ]
    assert all(request.max_tokens == 1 and request.schema is None for request in model.requests)


def test_what_stands_before_a_tag_is_spelled_as_the_worked_examples_are() -> None:
    model = ContinuingModel()

    tags_of(model)

    example = next(message.content for message in model.requests[0].messages if message.role == "assistant")
    told = json.loads(example)
    begun = model.requests[-1].messages[-1].content
    assert begun.startswith(example[: example.index(told["s1"])])
    assert '", "s2": "' in begun
    assert '", "s2": "' in example


def test_probabilities_are_those_of_the_tokens() -> None:
    first, second = tags_of(ContinuingModel())

    assert first.probability(Tag.ACTION) == pytest.approx(0.7 / 0.9)
    assert second.probability(Tag.LESSON) == pytest.approx(0.4)


def test_a_tag_in_two_spellings_is_the_one_of_the_likeliest_as_under_a_schema() -> None:
    split = {"general": math.log(0.4), "action": math.log(0.3), " action": math.log(0.25)}

    assert likeliest_tag(Token("general", split)) is Tag.GENERAL


@pytest.mark.parametrize("guesses", [{}, {"s1": GUESSES["s1"]}, {"s1": {'{"': -0.1, "Sure": -2.0}}])
def test_a_server_that_does_not_go_on_is_asked_for_all_tags_together(
    guesses: dict[str, dict[str, float]],
) -> None:
    model = ContinuingModel(guesses)

    assert [item.tag for item in tags_of(model)] == [Tag.GENERAL, Tag.GENERAL]
    assert model.requests[-1].schema is not None
    assert not model.requests[-1].continues


def chat_completion(content: str) -> dict[str, Any]:
    top = [{"token": token, "logprob": log, "bytes": None} for token, log in GUESSES["s1"].items()]
    entry = {"token": "action", "logprob": math.log(0.7), "bytes": [97], "top_logprobs": top}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, "tool_calls": []},
        "logprobs": {"content": [entry]},
        "finish_reason": "length",
        "stop_reason": None,
    }
    usage = {"prompt_tokens": 941, "total_tokens": 942, "completion_tokens": 1}
    return {"object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}


@pytest.mark.parametrize("content", ['{"s1": "action', "action"], ids=["llama.cpp", "vllm"])
def test_whether_a_server_repeats_what_was_begun_makes_no_difference(content: str) -> None:
    model = FakeModel(replies=[read_completion(chat_completion(content))])

    (item,) = tags_of(model, TWO[:1])

    assert item.tag is Tag.ACTION
    assert item.probability(Tag.ACTION) == pytest.approx(0.7 / 0.9)


def test_deeds_of_others_are_not_the_speakers() -> None:
    (item,) = tags_of(ContinuingModel(), [Sentence("s1", "My boss called the supplier.")])

    assert item.tag is Tag.SITUATION


def test_a_model_that_fails_in_the_middle_fails() -> None:
    class Failing(ContinuingModel):
        def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
            if "s2" in request.messages[-1].content:
                raise UnavailableError("down", reason="MODEL_UNAVAILABLE")
            return super().complete(request, deadline)

    with pytest.raises(UnavailableError):
        tags_of(Failing())


@pytest.mark.parametrize(
    ("settings", "one_by_one"),
    [
        ({"llm_base_url": "http://127.0.0.1:8091/v1"}, True),
        ({"llm_base_url": "http://127.0.0.1:8091/v1", "token_probabilities": False}, False),
        ({"llm_base_url": "http://127.0.0.1:8091/v1", "tags_one_by_one": False}, False),
        ({"llm_base_url": "https://models.example/v1"}, False),
        ({"llm_base_url": "https://models.example/v1", "tags_one_by_one": True}, True),
        ({"hf_token": "t"}, False),
        ({}, False),
    ],
)
def test_tags_are_asked_for_one_by_one_where_a_round_trip_costs_nothing(
    settings: dict[str, Any], one_by_one: bool
) -> None:
    assert AssessorSettings(**settings).chosen_tags_one_by_one is one_by_one
