"""What a model says is read strictly: schema, probabilities, batches, one more attempt."""

from __future__ import annotations

import json
import math

import pytest

from chassis.chat_replies import ChatReply, Token, read_completion
from chassis.errors import UnavailableError
from services.assessor.conclusion import find_flaw
from services.assessor.conversation import Conversation
from services.assessor.prompts import read_prompts, tags_schema
from services.assessor.sentences import Sentence, split_sentences
from services.assessor.tagging import (
    MAX_BATCH_BYTES,
    MAX_BATCH_SENTENCES,
    batches,
    read_tags,
    tag_distribution,
    tag_sentences,
)
from services.assessor.tags import Tag
from tests.fakes.assessor import CONCRETE, FakeModel, deadline, tag_tokens, written

TWO = [Sentence("s1", "I asked."), Sentence("s2", "It worked.")]
GOOD = '{"s1": "action", "s2": "result"}'


def test_a_reply_by_the_schema_is_read() -> None:
    assert [item.tag for item in read_tags(ChatReply(GOOD), TWO)] == [Tag.ACTION, Tag.RESULT]


@pytest.mark.parametrize(
    "reply",
    [
        ChatReply(""),
        ChatReply("Sure! Here it is."),
        ChatReply("[1, 2]"),
        ChatReply("null"),
        ChatReply('{"s1": "action"}'),
        ChatReply('{"s1": "action", "s2": "result", "s3": "lesson"}'),
        ChatReply('{"s1": "action", "s2": "brilliant"}'),
        ChatReply('{"s1": "action", "s2": 5}'),
        ChatReply('{"s1": "action", "s2": ["result"]}'),
        ChatReply("[" * 100_000),
        ChatReply(GOOD, truncated=True),
    ],
)
def test_any_other_reply_is_invalid(reply: ChatReply) -> None:
    with pytest.raises(UnavailableError) as caught:
        read_tags(reply, TWO)
    assert caught.value.reason == "MODEL_REPLY_INVALID"


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        ({"action": math.log(0.6), "result": math.log(0.3)}, {Tag.ACTION: 2 / 3, Tag.RESULT: 1 / 3}),
        ({' "sit': math.log(0.5), "situation": math.log(0.25), "off": math.log(0.25)}, {Tag.SITUATION: 0.75}),
        ({"s": 0.0, '"': -0.1, "5": -0.2}, {Tag.SITUATION: 1.0}),
    ],
)
def test_probabilities_are_shared_among_the_tags_that_tokens_begin(
    alternatives: dict[str, float], expected: dict[Tag, float]
) -> None:
    distribution = tag_distribution(Token("x", alternatives))

    assert distribution is not None
    assert sum(distribution.values()) == pytest.approx(1.0)
    for tag, probability in expected.items():
        assert distribution[tag] == pytest.approx(probability)


def test_token_probabilities_become_tag_probabilities() -> None:
    tokens = tag_tokens(GOOD, {Tag.ACTION: 0.7, Tag.RESULT: 0.3})

    first, second = read_tags(ChatReply(GOOD, tokens), TWO)

    assert first.probability(Tag.ACTION) == pytest.approx(0.7)
    assert second.probability(Tag.RESULT) == pytest.approx(0.3)


def test_without_token_probabilities_a_tag_counts_as_certain() -> None:
    first, _ = read_tags(ChatReply(GOOD), TWO)

    assert first.probabilities is None
    assert first.probability(Tag.ACTION) == 1.0


def test_probabilities_that_belong_to_another_text_are_not_used() -> None:
    tokens = tag_tokens(GOOD, {Tag.LESSON: 1.0})

    assert all(item.probabilities is None for item in read_tags(ChatReply(GOOD, tokens), TWO))


def test_a_deed_of_somebody_else_is_no_action_of_the_speaker() -> None:
    sentences = [Sentence("s1", "My boss called the supplier.")]

    (item,) = read_tags(ChatReply('{"s1": "action"}'), sentences)

    assert item.tag is Tag.SITUATION


def test_a_long_answer_is_asked_about_in_batches_with_what_came_before() -> None:
    sentences = split_sentences(written("I asked my team about the plan. " * 60).segments)

    parts = list(batches(sentences))

    assert [sentence for batch, _ in parts for sentence in batch] == list(sentences)
    assert all(len(batch) <= MAX_BATCH_SENTENCES for batch, _ in parts)
    assert all(sum(len(s.text.encode()) for s in batch) <= MAX_BATCH_BYTES for batch, _ in parts)
    assert parts[0][1] == []
    assert parts[1][1] == parts[0][0][-2:]


def test_the_schema_wants_one_tag_for_each_sentence_and_nothing_else() -> None:
    schema = tags_schema(TWO)

    assert schema["required"] == ["s1", "s2"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["s2"]["enum"] == [str(tag) for tag in Tag]


def test_an_unusable_reply_is_asked_for_once_more_with_the_next_seed() -> None:
    model = FakeModel(lambda _: Tag.ACTION, replies=[ChatReply("Sure!")])
    sentences = split_sentences(written(CONCRETE).segments)

    tagged = tag_sentences(Conversation(model, 7, 512), read_prompts()["en"], "", sentences, deadline())

    assert len(tagged) == 5
    assert model.seeds == [7, 8]


def test_two_unusable_replies_are_an_error() -> None:
    model = FakeModel(replies=[ChatReply("Sure!"), ChatReply("Of course!")])

    with pytest.raises(UnavailableError):
        tag_sentences(Conversation(model, 7, 512), read_prompts()["en"], "", TWO, deadline())
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    "document", [None, [], {}, {"choices": []}, {"choices": [{"message": {"content": None}}]}]
)
def test_what_is_no_chat_completion_is_an_invalid_reply(document: object) -> None:
    with pytest.raises(UnavailableError):
        read_completion(document)


FENCE = ["`", "`", "`", "j", "s", "on", "\n"]


@pytest.mark.parametrize("fence", [[], FENCE, ["```", "json", "\n"], ["\ufffd", "\ufffd"]])
def test_probabilities_are_found_behind_what_the_server_cuts_off(fence: list[str]) -> None:
    parts = ['{"', "s", "1", '":', ' "', "s", "ituation", '"', "}", "\n```"]
    tokens = tuple(Token(part, {part: -0.1, "action": -2.0}) for part in (*fence, *parts))

    (tagged,) = read_tags(ChatReply('{"s1": "situation"}', tokens), TWO[:1])

    assert tagged.probabilities is not None
    assert tagged.probabilities[Tag.SITUATION] > tagged.probabilities[Tag.ACTION] > 0


def test_odd_token_probabilities_cost_the_probabilities_only() -> None:
    choice = {"message": {"content": "x"}, "logprobs": {"content": [{"token": 5}]}, "finish_reason": "length"}

    reply = read_completion(json.loads(json.dumps({"choices": [choice], "usage": None})))

    assert (reply.text, reply.tokens, reply.truncated) == ("x", (), True)


@pytest.mark.parametrize(
    ("conclusion", "flaw"),
    [
        ("The candidate fixed a slow query. A result is missing.", None),
        ("The candidate worked with Oracle in Berlin.", "name"),
        ("Budi fixed a query.", "name"),
        ("The candidate fixed 3 queries.", "number"),
        ("The candidate fixed three queries.", "number"),
        ("The response time fell by forty percent.", None),
        ("The response time fell by 40%.", None),
        ("The response time fell by 41 percent.", "number"),
        ("The candidate did not collect the logs of the incidents.", "denial"),
        ("The candidate collected logs. It is not said who was told about the outage.", None),
        ("The candidate deserves level five.", "verdict"),
        ("The score is good.", "verdict"),
        ('{"level": 5}', "verdict"),
        ("It fell. It fell. It fell. It fell. It fell.", "unreadable"),
        ("Kandidat memperbaiki masalah pada hari Jumat.", "name"),
    ],
)
def test_a_conclusion_says_nothing_that_the_answer_lacks(conclusion: str, flaw: str | None) -> None:
    assert find_flaw(conclusion, CONCRETE) == flaw


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"Here are the tags: {GOOD}",
        f'<think>"s1": "general"? {{"s1": "lesson", "s2": "lesson"}}</think>{GOOD}',
        f"\ufeff{GOOD}",
        GOOD.upper(),
    ],
)
def test_tags_are_read_whatever_stands_around_them(text: str) -> None:
    tokens = tag_tokens(text, {Tag.ACTION: 0.6, Tag.RESULT: 0.4})

    first, second = read_tags(ChatReply(text, tokens), TWO)

    assert (first.tag, second.tag) == (Tag.ACTION, Tag.RESULT)
    assert first.probability(Tag.ACTION) == pytest.approx(0.6)


def test_an_escaped_letter_in_a_reply_costs_its_probabilities_only() -> None:
    text = GOOD.replace('"s1"', '"\\u0073\\u0031"')

    assert [item.tag for item in read_tags(ChatReply(text, tag_tokens(text, {Tag.ACTION: 1.0})), TWO)] == [
        Tag.ACTION,
        Tag.RESULT,
    ]


def test_a_reply_that_breaks_its_schema_is_told_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnavailableError):
        read_tags(ChatReply('{"s1": "action"}'), TWO)

    assert "LLM_SCHEMA_DIALECT" in caplog.text
