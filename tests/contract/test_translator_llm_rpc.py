"""The translator on a real socket: by a language model, and without a backend."""

from __future__ import annotations

import asyncio
import time

import pytest

from chassis.errors import (
    DeadlineError,
    InterviewError,
    PreconditionError,
    UnavailableError,
)
from interview.v1 import media_pb2, translator_pb2
from services.translator.prompt import DIGEST
from tests.fakes.translator import KEY, Answer, chat_server
from tests.translator_server import MEANINGS, SAID, over_llm, request, translate, translator

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize("style", ["response_format", "structured_outputs"])
async def test_a_language_model_translates_by_schema(style: str) -> None:
    server = chat_server(MEANINGS)
    async with over_llm(server, llm_schema_dialect=style, llm_api_key=KEY, llm_batch_text_count=8) as stub:
        response = await translate(stub, request(*SAID))

    assert [translation.text for translation in response.translations] == list(MEANINGS.values())
    assert not response.HasField("billed_character_count")
    assert (response.model.name, response.model.version) == ("fake-llm", "b1")
    assert response.prompt_digest == DIGEST
    assert [path for path, _ in server.requests] == ["/v1/models", "/v1/chat/completions"]
    payload = server.requests[1][1]
    assert payload["model"] == "fake-llm"
    assert payload["max_tokens"] > 0
    assert style in payload


async def test_a_model_on_this_machine_writes_the_text_of_a_segment_alone() -> None:
    server = chat_server(MEANINGS)
    async with over_llm(server, llm_model="m") as stub:
        response = await translate(stub, request(SAID[0]))

    assert [translation.text for translation in response.translations] == [MEANINGS[SAID[0]]]
    ((_, asked),) = server.requests
    assert asked["messages"][-1] == {"role": "assistant", "content": '{"1": "'}
    assert (asked["continue_final_message"], asked["add_generation_prompt"]) == (True, False)
    assert asked["stop"] == ['"}']
    assert "response_format" not in asked


async def test_a_language_model_that_is_slow_does_not_outlast_the_deadline() -> None:
    server = chat_server(MEANINGS, Answer(delay_s=5.0))
    async with over_llm(server, llm_model="m") as stub:
        begin_s = time.monotonic()
        with pytest.raises((UnavailableError, DeadlineError)):
            await translate(stub, request(SAID[0]), 1.0)
        elapsed_s = time.monotonic() - begin_s

    assert elapsed_s < 3.0


async def test_a_segment_whose_request_is_slow_costs_itself_and_not_those_beside_it() -> None:
    server = chat_server(MEANINGS, Answer(delay_s=20.0))
    async with over_llm(server, llm_model="m") as stub:
        response = await translate(stub, request(*SAID), 8.0)

    # Which of the two is asked first is chance. It is the slow one.
    texts = [translation.text for translation in response.translations if translation.text]
    assert len(texts) == 1
    assert texts[0] in MEANINGS.values()


SLOW_ANSWER_S = 30.0
"""As long as no model takes here. A cancelled call does not wait for it."""


async def test_a_cancelled_call_frees_its_worker_long_before_the_model_answers() -> None:
    server = chat_server(MEANINGS, Answer(delay_s=SLOW_ANSWER_S))
    async with over_llm(server, llm_model="m", worker_count=1, waiting_count=1) as stub:
        call = stub.Translate(request(*SAID), timeout=2 * SLOW_ANSWER_S)
        assert await asyncio.to_thread(server.asked.wait, SLOW_ANSWER_S)
        call.cancel()
        begin_s = time.monotonic()
        response = await translate(stub, request(*SAID))
        elapsed_s = time.monotonic() - begin_s

    assert response.translations[0].text == MEANINGS[SAID[0]]
    assert elapsed_s < SLOW_ANSWER_S / 2


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


async def test_a_language_model_server_that_loads_its_model_is_waited_for() -> None:
    async with over_llm(chat_server(MEANINGS, Answer(503)), llm_model="m") as stub:
        response = await translate(stub, request(*SAID))

    assert response.translations[1].text == "Butuh 3 hari."
