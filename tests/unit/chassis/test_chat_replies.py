"""What is read from a model's reply, however it wraps it."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.chat_replies import read_completion, read_json_object, without_thoughts
from chassis.errors import UnavailableError
from chassis.texts import encodable


@pytest.mark.parametrize(
    "text",
    [
        '{"1": "a"}',
        '\ufeff{"1": "a"}',
        '```json\n{"1": "a"}\n```',
        'Sure, here is the translation:\n\n{"1": "a"}\n\nI hope that helps {smile}.',
        '<think>First {"1": "draft"}? No, shorter.</think>\n{"1": "a"}',
        '[THINK]{"1": "draft"}[/THINK]{"1": "a"}',
        'A draft: {"1": "draft"}. The final one: {"1": "a"}',
        'I use {braces} freely. {"1": "a"}',
        '<|channel|>analysis<|message|>{"1": "?"}<|channel|>final<|message|>{"1": "a"}',
    ],
)
def test_the_object_is_found_whatever_stands_around_it(text: str) -> None:
    found = read_json_object(text)

    assert found is not None
    assert found.document == {"1": "a"}
    assert text[found.start :].startswith('{"1": "a"}')


@pytest.mark.parametrize("text", ["", "Sure!", "[1, 2]", "null", '{"1": ', "{" * 100_000, '{"a":' * 50_000])
def test_a_reply_without_an_object_is_none(text: str) -> None:
    assert read_json_object(text) is None


def test_thoughts_are_left_out_of_a_text() -> None:
    assert without_thoughts("<think>Hm.\nLevel 5?</think>\n\nThe candidate tells.") == "The candidate tells."
    assert without_thoughts("\ufeffThe candidate tells. ") == "The candidate tells."


def completion(content: object, **choice: object) -> dict[str, object]:
    return {"choices": [{"message": {"role": "assistant", "content": content}, **choice}]}


def test_half_a_character_becomes_the_replacement_character_everywhere() -> None:
    top = [{"token": "\udcaa", "logprob": -1.0}]
    token = {"token": "\ud83d", "logprob": -0.1, "top_logprobs": top}
    document = completion("cut \ud83d off", logprobs={"content": [token]})

    reply = read_completion(document | {"system_fingerprint": "b\udfff"})

    assert reply.text == "cut \ufffd off"
    assert reply.tokens[0].text == "\ufffd"
    assert set(reply.tokens[0].alternatives) == {"\ufffd"}
    assert reply.model_version == "b\ufffd"


def test_two_halves_that_belong_together_become_their_character() -> None:
    assert encodable("\ud83d\ude00") == "😀"


def test_a_text_in_parts_is_joined_without_its_thinking() -> None:
    parts = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]

    assert read_completion(completion(parts)).text == "ab"


@pytest.mark.parametrize("content", [None, 5, {}, [], [{"type": "image"}]])
def test_a_completion_without_text_can_not_be_used(content: object) -> None:
    with pytest.raises(UnavailableError) as caught:
        read_completion(completion(content))

    assert caught.value.reason == "MODEL_REPLY_INVALID"


VLLM_USAGE = {"prompt_tokens": 941, "total_tokens": 953, "completion_tokens": 12}


@pytest.mark.parametrize(
    ("usage", "cached"),
    [
        (VLLM_USAGE | {"prompt_tokens_details": {"cached_tokens": 928}}, 928),  # vLLM with prefix caching
        (VLLM_USAGE | {"prompt_tokens_details": None}, 0),  # vLLM without --enable-prompt-tokens-details
        (VLLM_USAGE, 0),  # Hugging Face's router
        (VLLM_USAGE | {"prompt_tokens_details": {"cached_tokens": 733, "audio_tokens": 0}}, 733),
    ],
)
def test_what_a_server_had_read_before_is_counted(usage: dict[str, Any], cached: int) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}

    reply = read_completion({"choices": [choice], "usage": usage})

    assert (reply.prompt_token_count, reply.cached_prompt_token_count) == (941, cached)


DRAFTED = {"token": " kept", "logprob": 0.0, "top_logprobs": []}
"""As llama.cpp lists a token that it drafted (`--spec-type ngram-simple`)."""
CHOSEN = {"token": " our", "logprob": -0.9, "top_logprobs": [{"token": " a", "logprob": -0.8}]}


def test_a_token_without_alternatives_is_one_without_probabilities_and_not_a_certain_one() -> None:
    choice = {"message": {"content": " our kept"}, "logprobs": {"content": [CHOSEN, DRAFTED]}}

    chosen, drafted = read_completion({"choices": [choice]}).tokens

    assert chosen.alternatives == {" our": -0.9, " a": -0.8}
    assert drafted.alternatives == {}
