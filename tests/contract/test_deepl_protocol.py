"""DeepL's protocol as it is and as it goes wrong: glossaries, billing, pages of HTML, broken replies."""

from __future__ import annotations

import json

import pytest

from chassis import client
from chassis.errors import ExhaustedError, InvalidInputError, PreconditionError
from interview.v1 import translator_pb2
from tests.fakes.translator import Answer, deepl_server
from tests.translator_server import failure, over_deepl, request, translate

pytestmark = pytest.mark.anyio

PAGE = b"<html><body>Bad gateway: I never said that.</body></html>"


async def test_characters_are_billed_as_deepl_counts_them() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one"))

    assert server.requests[0][1]["show_billed_characters"] is True
    assert response.billed_character_count == 3


@pytest.mark.parametrize("billed", [{}, {"billed_characters": None}, {"billed_characters": "many"}])
async def test_a_reply_without_its_billing_is_kept_and_not_paid_for_twice(billed: dict[str, object]) -> None:
    reply = {"translations": [{"text": "satu", "detected_source_language": "EN"} | billed]}
    server = deepl_server(Answer(200, json.dumps(reply).encode()))
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one"))

    assert [translation.text for translation in response.translations] == ["satu"]
    assert not response.HasField("billed_character_count")
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [Answer(200, PAGE), Answer(502, PAGE), Answer(200, b"")])
async def test_a_page_of_html_is_no_translation(answer: Answer) -> None:
    server = deepl_server(answer)
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one"))

    assert [translation.text for translation in response.translations] == ["ID:one"]
    assert len(server.requests) == 2


@pytest.mark.parametrize("kept_bytes", [0, 1, 40])
async def test_a_reply_that_breaks_off_is_asked_for_again(kept_bytes: int) -> None:
    server = deepl_server(Answer(kept_bytes=kept_bytes))
    async with over_deepl(server) as stub:
        response = await translate(stub, request("one"))

    assert [translation.text for translation in response.translations] == ["ID:one"]
    assert len(server.requests) == 2


@pytest.mark.parametrize("body", [PAGE, b"{}", b"[]"])
async def test_a_page_in_place_of_the_languages_is_not_remembered(body: bytes) -> None:
    asked = translator_pb2.TranslatorServiceGetCapabilitiesRequest()
    async with over_deepl(deepl_server(Answer(200, body))) as stub:
        known = await client.unary(stub.GetCapabilities, asked, timeout_s=10, retry=client.NO_RETRY)

    assert list(known.source_language_codes) == ["en"]
    assert "id" in known.target_language_codes


@pytest.mark.parametrize("body", [PAGE, b"{}", b"[]"])
async def test_a_page_in_place_of_the_usage_says_nothing_of_the_account(body: bytes) -> None:
    asked = translator_pb2.TranslatorServiceGetUsageRequest()
    async with over_deepl(deepl_server(Answer(200, body))) as stub:
        usage = await client.unary(stub.GetUsage, asked, timeout_s=10, retry=client.NO_RETRY)

    assert not usage.HasField("billed_character_count") or usage.billed_character_count == 180_118


@pytest.mark.parametrize(
    ("status", "error_class"), [(403, PreconditionError), (401, PreconditionError), (456, ExhaustedError)]
)
@pytest.mark.parametrize(
    "body", [b'{"message": null}', b'{"message": {"text": "no"}}', PAGE, b'{"detail": 5}']
)
async def test_a_refusal_counts_by_its_status_whatever_its_body(
    status: int, error_class: type[Exception], body: bytes
) -> None:
    server = deepl_server(*[Answer(status, body)] * 9)

    assert isinstance(await failure(server, request("one")), error_class)
    assert len(server.requests) == 1


@pytest.mark.parametrize("glossary_id", ["unknown", "only-german"])
async def test_a_glossary_that_does_not_fit_is_named(glossary_id: str) -> None:
    error = await failure(deepl_server(), request("one", glossary_id=glossary_id))

    assert isinstance(error, InvalidInputError)
    assert (error.reason, list(error.fields)) == ("GLOSSARY_REFUSED", ["glossary_id"])


async def test_a_multilingual_glossary_serves_both_directions() -> None:
    server = deepl_server()
    async with over_deepl(server) as stub:
        for source, target in (("en", "id"), ("id", "en-US")):
            await translate(stub, request("one", source=source, target=target, glossary_id="g1"))

    assert [payload["glossary_id"] for _, payload in server.requests] == ["g1", "g1"]
