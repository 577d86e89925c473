"""The translator on a real socket, before local servers that speak DeepL's and OpenAI's protocols."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from chassis import client
from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    InterviewError,
    InvalidInputError,
    PreconditionError,
    UnavailableError,
)
from chassis.server import start_server
from interview.v1 import media_pb2, translator_pb2, translator_pb2_grpc
from services.translator.__main__ import compose
from services.translator.servicer import SERVICE_NAME
from services.translator.settings import TranslatorSettings
from tests.fakes.translator import KEY, Answer, FakeServer, chat_server, deepl_server

pytestmark = pytest.mark.anyio

MEANINGS = {
    "I fixed the broken scanner myself.": "Saya memperbaiki pemindai yang rusak sendiri.",
    "It took 3 days.": "Butuh 3 hari.",
}
SAID = tuple(MEANINGS)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEEPL_API_KEY", "TRANSLATOR_DEEPL_API_KEY", "LLM_BASE_URL", "TRANSLATOR_LLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def translator(**settings: Any) -> AsyncIterator[translator_pb2_grpc.TranslatorServiceStub]:
    configured = TranslatorSettings(port=0, **settings)
    server, _, port = await start_server(configured, SERVICE_NAME, compose(configured))
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield translator_pb2_grpc.TranslatorServiceStub(channel)
    finally:
        await server.stop(None)


@asynccontextmanager
async def over_deepl(
    server: FakeServer, key: str = KEY, **settings: Any
) -> AsyncIterator[translator_pb2_grpc.TranslatorServiceStub]:
    with server.running():
        async with translator(TRANSLATOR_DEEPL_API_KEY=key, deepl_server_url=server.url, **settings) as stub:
            yield stub


@asynccontextmanager
async def over_llm(
    server: FakeServer, **settings: Any
) -> AsyncIterator[translator_pb2_grpc.TranslatorServiceStub]:
    with server.running():
        async with translator(llm_base_url=server.url, **settings) as stub:
            yield stub


def request(
    *texts: str, source: str = "en", target: str = "id", **fields: Any
) -> translator_pb2.TranslateRequest:
    return translator_pb2.TranslateRequest(
        texts=texts, source_language_code=source, target_language_code=target, **fields
    )


async def translate(
    stub: translator_pb2_grpc.TranslatorServiceStub,
    asked: translator_pb2.TranslateRequest,
    timeout_s: float = 10.0,
) -> translator_pb2.TranslateResponse:
    response: translator_pb2.TranslateResponse = await client.unary(
        stub.Translate, asked, timeout_s=timeout_s, retry=client.NO_RETRY
    )
    return response


async def failure(
    server: FakeServer, asked: translator_pb2.TranslateRequest, timeout_s: float = 10.0, **settings: Any
) -> InterviewError:
    async with over_deepl(server, **settings) as stub:
        with pytest.raises(InterviewError) as caught:
            await translate(stub, asked, timeout_s)
    return caught.value


async def test_deepl_translates_in_order_and_says_what_it_bills() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one", "", "three"))

    assert [translation.text for translation in response.translations] == ["ID:one", "", "ID:three"]
    assert {translation.outcome for translation in response.translations} == {media_pb2.OUTCOME_OK}
    assert response.billed_character_count == 8
    assert response.model.name == "deepl"


async def test_deepl_gets_key_context_formality_and_glossary() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        await translate(
            stub,
            request(
                "one",
                context="Why?",
                formality=translator_pb2.FORMALITY_PREFER_MORE,
                glossary_id="g1",
            ),
        )

    payload = server.requests[0][1]
    assert server.headers[0]["Authorization"] == f"DeepL-Auth-Key {KEY}"
    assert payload["context"].startswith("Why?")
    assert (payload["formality"], payload["glossary_id"]) == ("prefer_more", "g1")
    assert (payload["source_lang"], payload["target_lang"]) == ("EN", "ID")


async def test_two_thousand_texts_go_to_deepl_in_batches_of_fifty() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        response = await translate(stub, request(*(f"text {index}" for index in range(2000))), 60)

    assert [translation.text for translation in response.translations] == [
        f"ID:text {index}" for index in range(2000)
    ]
    assert len(server.requests) == 40
    assert max(server.sizes) < 128 * 1024


async def test_deepl_refusing_the_key_says_what_to_check() -> None:
    error = await failure(deepl_server(), request("one"), key="another")

    assert isinstance(error, PreconditionError)
    assert error.reason == "TRANSLATOR_AUTH_FAILED"
    assert "DEEPL_API_KEY" in error.message


async def test_a_used_up_quota_is_not_retried() -> None:
    server = deepl_server(Answer(456))

    error = await failure(server, request("one"))

    assert isinstance(error, ExhaustedError)
    assert (error.reason, error.retry_after_s) == ("TRANSLATOR_QUOTA_EXCEEDED", None)
    assert len(server.requests) == 1


async def test_a_quota_that_ends_on_the_way_keeps_what_was_translated() -> None:
    server = deepl_server(Answer(), Answer(456))
    async with over_deepl(server) as stub:
        response = await translate(stub, request(*(f"{index:02}" for index in range(60))))

    outcomes = [translation.outcome for translation in response.translations]
    assert outcomes == [media_pb2.OUTCOME_OK] * 50 + [media_pb2.OUTCOME_SERVICE_UNAVAILABLE] * 10
    assert not response.translations[59].HasField("text")
    assert response.billed_character_count == 100


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_moment_of_trouble_at_deepl_is_waited_out(status: int) -> None:
    server = deepl_server(Answer(status))
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one"))

    assert response.translations[0].text == "ID:one"
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [Answer(500), Answer(429), Answer(200, b"{not json"), Answer(200, b"[]")])
async def test_lasting_trouble_at_deepl_is_unavailable_before_the_deadline(answer: Answer) -> None:
    begin_s = time.monotonic()

    error = await failure(deepl_server(*[answer] * 20), request("one"), timeout_s=2.0)

    assert isinstance(error, UnavailableError)
    assert error.reason == "TRANSLATOR_UNAVAILABLE"
    assert time.monotonic() - begin_s < 2.0


@pytest.mark.parametrize(
    "body",
    [
        b'{"translations": []}',
        b'{"translations": [{"text": "a"}, {"text": "b"}]}',
        b'{"translations": [{"text": 5, "billed_characters": 1}]}',
        b'{"translations": ["a"]}',
        b"null",
    ],
)
async def test_a_reply_that_does_not_align_is_not_passed_on(body: bytes) -> None:
    server = deepl_server(Answer(200, body))
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one"))

    assert [translation.text for translation in response.translations] == ["ID:one"]
    assert len(server.requests) == 2


async def test_a_slow_deepl_does_not_outlast_the_deadline() -> None:
    begin_s = time.monotonic()

    error = await failure(deepl_server(Answer(delay_s=5.0)), request("one"), timeout_s=1.0)

    assert isinstance(error, (UnavailableError, DeadlineError))
    assert time.monotonic() - begin_s < 1.5


async def test_deepl_that_can_not_be_reached_is_unavailable() -> None:
    async with translator(TRANSLATOR_DEEPL_API_KEY=KEY, deepl_server_url="http://127.0.0.1:1") as stub:
        with pytest.raises(UnavailableError) as caught:
            await translate(stub, request("one"), 1.0)

    assert caught.value.reason == "TRANSLATOR_UNAVAILABLE"


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"target": "xx"}, "LANGUAGE_UNSUPPORTED", "target_language_code"),
        ({"glossary_id": "unknown"}, "GLOSSARY_REFUSED", "glossary_id"),
        ({"target": "not a code"}, "LANGUAGE_CODE_INVALID", "target_language_code"),
        ({"source": ""}, "LANGUAGE_CODE_INVALID", "source_language_code"),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(fields: dict[str, str], reason: str, field: str) -> None:
    error = await failure(deepl_server(), request("one", **fields))

    assert isinstance(error, InvalidInputError)
    assert (error.reason, list(error.fields)) == (reason, [field])


async def test_too_many_texts_are_refused() -> None:
    error = await failure(deepl_server(), request(*["a"] * 2001))

    assert error.reason == "TEXTS_TOO_MANY"


async def test_deepl_says_its_languages_once() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        for _ in range(2):
            known = await stub.GetCapabilities(translator_pb2.TranslatorServiceGetCapabilitiesRequest())

    assert (known.backend, list(known.source_language_codes)) == ("deepl", ["en"])
    assert list(known.target_language_codes) == ["en-US", "id", "zh-Hans"]
    assert len(server.requests) == 2


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


async def test_without_a_backend_the_call_succeeds_and_says_so() -> None:
    async with translator() as stub:
        response = await translate(stub, request("one", ""))
        known = await stub.GetCapabilities(translator_pb2.TranslatorServiceGetCapabilitiesRequest())

    absent, empty = response.translations
    assert absent.outcome == media_pb2.OUTCOME_NOT_CONFIGURED
    assert not absent.HasField("text")
    assert "DEEPL_API_KEY" in absent.reason
    assert (empty.outcome, empty.text) == (media_pb2.OUTCOME_OK, "")
    assert (known.backend, list(known.target_language_codes)) == ("none", [])


async def test_the_same_language_needs_no_backend() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one", source="en", target="en-GB"))

    assert response.translations[0].text == "one"
    assert response.model.name == ""
    assert server.requests == []


@pytest.mark.parametrize("style", ["response_format", "structured_outputs"])
async def test_a_language_model_translates_by_schema(style: str) -> None:
    server = chat_server(MEANINGS)
    async with over_llm(server, llm_schema_dialect=style, llm_api_key=KEY, llm_batch_text_count=8) as stub:
        response = await translate(stub, request(*SAID))

    assert [translation.text for translation in response.translations] == list(MEANINGS.values())
    assert not response.HasField("billed_character_count")
    assert (response.model.name, response.model.version) == ("fake-llm", "b1")
    assert [path for path, _ in server.requests] == ["/v1/models", "/v1/chat/completions"]
    payload = server.requests[1][1]
    assert payload["model"] == "fake-llm"
    assert payload["max_tokens"] > 0
    assert style in payload


async def test_a_language_model_that_is_slow_does_not_outlast_the_deadline() -> None:
    begin_s = time.monotonic()
    server = chat_server(MEANINGS, Answer(delay_s=3.0))
    async with over_llm(server, llm_model="m") as stub:
        with pytest.raises((UnavailableError, DeadlineError)):
            await translate(stub, request(*SAID), 1.0)
        elapsed_s = time.monotonic() - begin_s

    assert elapsed_s < 1.2


async def test_a_cancelled_call_frees_its_worker_within_a_second() -> None:
    server = chat_server(MEANINGS, Answer(delay_s=3.0))
    async with over_llm(server, llm_model="m", worker_count=1, waiting_count=1) as stub:
        call = stub.Translate(request(*SAID), timeout=30)
        await asyncio.to_thread(server.asked.wait, 5)
        call.cancel()
        begin_s = time.monotonic()
        response = await translate(stub, request(*SAID))
        elapsed_s = time.monotonic() - begin_s

    assert response.translations[0].text == MEANINGS[SAID[0]]
    assert elapsed_s < 1.0


@pytest.mark.parametrize(
    ("answer", "error_class", "reason"),
    [
        (Answer(401), PreconditionError, "MODEL_AUTH_FAILED"),
        (Answer(404), PreconditionError, "MODEL_NOT_FOUND"),
        (Answer(500), UnavailableError, "MODEL_UNAVAILABLE"),
        (Answer(200, b"{broken"), UnavailableError, "MODEL_REPLY_INVALID"),
        (Answer(200, b'{"choices": []}'), UnavailableError, "MODEL_REPLY_INVALID"),
    ],
)
async def test_a_failing_language_model_server_is_a_typed_error(
    answer: Answer, error_class: type[InterviewError], reason: str
) -> None:
    async with over_llm(chat_server(MEANINGS, *[answer] * 20), llm_model="m") as stub:
        with pytest.raises(error_class) as caught:
            await translate(stub, request(*SAID), 1.5)

    assert caught.value.reason == reason


async def test_half_a_character_in_a_reply_neither_ends_the_call_nor_reaches_the_caller() -> None:
    async with over_llm(chat_server({"Yes.": "Ya \ud83d.", "No.": "Tidak."}), llm_model="m") as stub:
        response = await translate(stub, request("Yes.", "No."))

    assert [translation.text for translation in response.translations] == ["Ya \ufffd.", "Tidak."]


async def test_one_segment_that_the_server_refuses_leaves_the_others() -> None:
    refused = Answer(400, b'{"error": {"code": "context_length_exceeded", "message": "too long"}}')
    async with over_llm(chat_server(MEANINGS, refused), llm_model="m") as stub:
        response = await translate(stub, request(*SAID))

    first, second = response.translations[:2]
    assert (first.outcome, second.text) == (media_pb2.OUTCOME_SERVICE_UNAVAILABLE, MEANINGS[SAID[1]])
    assert "context" in first.reason


async def test_a_language_model_server_that_loads_its_model_is_waited_for() -> None:
    async with over_llm(chat_server(MEANINGS, Answer(503)), llm_model="m") as stub:
        response = await translate(stub, request(*SAID))

    assert response.translations[1].text == "Butuh 3 hari."


async def test_no_log_holds_a_key_or_a_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "what the candidate said"
    async with over_deepl(deepl_server(Answer(400, b'{"message": "what the candidate said"}'))) as stub:
        with pytest.raises(PreconditionError) as caught:
            await translate(stub, request(secret))
        await translate(stub, request(secret))

    assert KEY not in caplog.text
    assert secret not in caplog.text
    assert secret not in caught.value.message


async def test_a_call_without_a_deadline_is_answered() -> None:
    async with over_deepl(deepl_server()) as stub:
        response = await stub.Translate(request("one"))

    assert response.translations[0].text == "ID:one"


async def test_the_wire_carries_the_reason_to_any_client() -> None:
    async with over_deepl(deepl_server(), key="another") as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Translate(request("one"), timeout=5)

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
