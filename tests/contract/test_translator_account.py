"""What translations cost, on a real socket: nothing is billed twice, and the account says what is used."""

from __future__ import annotations

from typing import Any

import pytest

from chassis import client
from chassis.errors import (
    InterviewError,
)
from interview.v1 import translator_pb2, translator_pb2_grpc
from tests.fakes.translator import KEY, Answer, chat_server, deepl_server
from tests.translator_server import MEANINGS, over_deepl, over_llm, request, translate, translator

pytestmark = pytest.mark.anyio


async def test_the_same_answer_again_is_not_billed_again() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        first = await translate(stub, request("one", "two"))
        again = await translate(stub, request("one", "two"))
        politely = await translate(
            stub, request("one", "two", formality=translator_pb2.FORMALITY_PREFER_MORE)
        )

    assert again.translations == first.translations
    assert (first.billed_character_count, again.billed_character_count) == (6, 0)
    assert again.model.name == "deepl"
    assert politely.billed_character_count == 6
    assert len(server.requests) == 2


async def test_a_cache_without_room_asks_every_time() -> None:
    server = deepl_server()
    async with over_deepl(server, cache_characters=0) as stub:
        for _ in range(2):
            await translate(stub, request("one"))

    assert len(server.requests) == 2


async def used(stub: translator_pb2_grpc.TranslatorServiceStub) -> Any:
    asked = translator_pb2.TranslatorServiceGetUsageRequest()
    return await client.unary(stub.GetUsage, asked, timeout_s=5, retry=client.NO_RETRY)


async def test_deepl_says_how_much_of_the_account_is_used() -> None:
    server = deepl_server(Answer(503))
    async with over_deepl(server) as stub:
        usage = await used(stub)

    assert usage.backend == "deepl"
    assert (usage.billed_character_count, usage.limit_character_count) == (180_118, 1_250_000)
    assert [path for path, _ in server.requests] == ["/v2/usage"] * 2
    assert server.headers[1]["Authorization"] == f"DeepL-Auth-Key {KEY}"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"character_count": "many"}', b'{"character_count": null}'])
async def test_usage_that_deepl_does_not_say_is_absent(body: bytes) -> None:
    async with over_deepl(deepl_server(Answer(200, body))) as stub:
        usage = await used(stub)

    assert not usage.HasField("billed_character_count")
    assert not usage.HasField("limit_character_count")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Answer(403), "TRANSLATOR_AUTH_FAILED"), (Answer(456), "TRANSLATOR_QUOTA_EXCEEDED")],
)
async def test_usage_that_deepl_refuses_is_a_typed_error(answer: Answer, reason: str) -> None:
    async with over_deepl(deepl_server(answer)) as stub:
        with pytest.raises(InterviewError) as caught:
            await used(stub)

    assert caught.value.reason == reason


async def test_without_a_backend_and_with_a_language_model_usage_is_absent() -> None:
    async with translator() as stub:
        nothing = await used(stub)
    async with over_llm(chat_server(MEANINGS)) as stub:
        model = await used(stub)

    assert (nothing.backend, model.backend) == ("none", "llm")
    assert not nothing.HasField("billed_character_count")
    assert not model.HasField("limit_character_count")
