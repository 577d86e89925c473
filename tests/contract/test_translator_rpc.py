"""The translator on a real socket, before local servers that speak DeepL's and OpenAI's protocols."""

from __future__ import annotations

import logging
import time

import grpc
import pytest

from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    InvalidInputError,
    PreconditionError,
    UnavailableError,
)
from interview.v1 import media_pb2, translator_pb2
from tests.fakes.translator import KEY, Answer, chat_server, deepl_server
from tests.translator_server import (
    MEANINGS,
    SAID,
    failure,
    over_deepl,
    over_llm,
    request,
    translate,
    translator,
)

pytestmark = pytest.mark.anyio


async def test_deepl_translates_in_order_and_says_what_it_bills() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one", "", "three"))

    assert [translation.text for translation in response.translations] == ["ID:one", "", "ID:three"]
    assert {translation.outcome for translation in response.translations} == {media_pb2.OUTCOME_OK}
    assert response.billed_character_count == 8
    assert response.model.name == "deepl"


async def test_a_doubted_translation_comes_with_its_reasons() -> None:
    async with over_deepl(deepl_server()) as stub:
        response = await translate(stub, request("I will pay 3 dollars.", "I never said that."))

    # The stand-in leaves each text as it is: "never" is no Indonesian negation.
    assert [list(translation.doubts) for translation in response.translations] == [[], ["NEGATION_DOUBTFUL"]]


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


async def test_the_same_language_needs_no_backend() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one", source="en", target="en-GB"))

    assert response.translations[0].text == "one"
    assert response.model.name == ""
    assert server.requests == []


async def test_half_a_character_in_a_reply_neither_ends_the_call_nor_reaches_the_caller() -> None:
    async with over_llm(chat_server({"Yes.": "Ya \ud83d.", "No.": "Tidak."}), llm_model="m") as stub:
        response = await translate(stub, request("Yes.", "No."))

    assert [translation.text for translation in response.translations] == ["Ya \ufffd.", "Tidak."]


async def test_one_segment_that_the_server_refuses_leaves_the_others() -> None:
    refused = Answer(400, b'{"error": {"code": "context_length_exceeded", "message": "too long"}}')
    async with over_llm(chat_server(MEANINGS, refused), llm_model="m") as stub:
        response = await translate(stub, request(*SAID))

    # They are asked for side by side, so any of them may meet the refusal.
    kept = [one.text == MEANINGS[text] for one, text in zip(response.translations, SAID, strict=True)]
    (absent,) = (one for one, is_kept in zip(response.translations, kept, strict=True) if not is_kept)
    assert (absent.outcome, absent.text) == (media_pb2.OUTCOME_SERVICE_UNAVAILABLE, "")
    assert "context" in absent.reason


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
