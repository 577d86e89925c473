"""The client of language models against a local server: one address, one limit, one way to fail."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest

from chassis.chat_completions import ChatClient, ChatRequest, ChatServer, Message, SchemaDialect
from chassis.chat_refusals import ParameterRefusedError
from chassis.deadline import Deadline
from chassis.errors import ExhaustedError, PreconditionError, UnavailableError
from tests.fakes.assessor import FakeChatServer, Scripted, completion

REQUEST = ChatRequest([Message("user", "Say it.")], 16)
SCHEMA = {"type": "object", "properties": {}}
WANTS_NEW_NAME = {
    "error": {
        "message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
}


def said(text: str = "Yes.") -> Scripted:
    return Scripted(body=json.dumps(completion(text)).encode())


def refused(status: int, body: Any, **headers: str) -> Scripted:
    return Scripted(
        status, json.dumps(body).encode(), headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def client(server: FakeChatServer, **settings: Any) -> ChatClient:
    return ChatClient(ChatServer(server.url, **{"model": "m", **settings}))


def test_an_address_without_a_path_gets_the_protocols() -> None:
    with FakeChatServer(said()).running() as server:
        asked = ChatClient(ChatServer(server.url.removesuffix("/v1"), "m"))

        assert asked.complete(REQUEST, Deadline(5.0)).text == "Yes."

    assert server.paths == ["/v1/chat/completions"]


@pytest.mark.parametrize("address", ["http://", "http://a:b", "no address"])
def test_what_is_no_address_is_said_at_once(address: str) -> None:
    with pytest.raises(PreconditionError, match="LLM_BASE_URL"):
        ChatClient(ChatServer(address))


def test_without_a_name_the_first_listed_model_is_asked() -> None:
    with FakeChatServer(said()).running() as server:
        asked = client(server, model="")
        before = asked.known_model
        asked.complete(REQUEST, Deadline(5.0))

    assert (before, asked.known_model) == ("", "listed-model")
    assert server.requests[0]["model"] == "listed-model"


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        (SchemaDialect.RESPONSE_FORMAT, {"response_format": {"type": "json_schema"}}),
        (SchemaDialect.JSON_OBJECT, {"response_format": {"type": "json_object", "value": SCHEMA}}),
        (SchemaDialect.STRUCTURED_OUTPUTS, {"structured_outputs": {"json": SCHEMA}}),
        (SchemaDialect.NONE, {}),
    ],
)
def test_a_schema_is_sent_in_the_servers_form(dialect: SchemaDialect, field: dict[str, Any]) -> None:
    with FakeChatServer(said()).running() as server:
        client(server, schema_dialect=dialect).complete(
            ChatRequest(REQUEST.messages, 16, SCHEMA), Deadline(5.0)
        )

    (body,) = server.requests
    for name in ("response_format", "structured_outputs"):
        sent = body.get(name, {})
        assert {key: sent[key] for key in sent if key != "json_schema"} == field.get(name, {})


def test_a_server_that_wants_the_limits_newer_name_gets_it_from_then_on() -> None:
    with FakeChatServer(refused(400, WANTS_NEW_NAME), said(), said()).running() as server:
        asked = client(server)
        asked.complete(REQUEST, Deadline(5.0))
        asked.complete(REQUEST, Deadline(5.0))

    limits = [[name for name in body if name.startswith("max_")] for body in server.requests]
    assert limits == [["max_tokens"], ["max_completion_tokens"], ["max_completion_tokens"]]


def test_a_server_that_takes_neither_name_is_not_asked_for_ever() -> None:
    with (
        FakeChatServer(*[refused(400, WANTS_NEW_NAME)] * 5).running() as server,
        pytest.raises(ParameterRefusedError),
    ):
        client(server).complete(REQUEST, Deadline(5.0))

    assert len(server.requests) == 2


def test_a_spent_quota_is_not_tried_again() -> None:
    spent = {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota."}}
    with (
        FakeChatServer(*[refused(429, spent)] * 5).running() as server,
        pytest.raises(ExhaustedError) as caught,
    ):
        client(server).complete(REQUEST, Deadline(5.0))

    assert (caught.value.reason, caught.value.retry_after_s) == ("MODEL_QUOTA_EXCEEDED", None)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    with FakeChatServer(refused(status, {}, retry_after="0"), said()).running() as server:
        assert client(server).complete(REQUEST, Deadline(10.0)).text == "Yes."


def test_a_wait_that_does_not_fit_the_deadline_is_not_begun() -> None:
    begin_s = time.monotonic()
    with (
        FakeChatServer(refused(429, {}, retry_after="60")).running() as server,
        pytest.raises(UnavailableError) as caught,
    ):
        client(server).complete(REQUEST, Deadline(5.0))

    assert caught.value.retry_after_s == 60.0
    assert time.monotonic() - begin_s < 4


def test_a_server_that_is_too_slow_is_not_asked_again() -> None:
    with (
        FakeChatServer(Scripted(delay_s=1.0), said()).running() as server,
        pytest.raises(UnavailableError) as caught,
    ):
        client(server, attempt_timeout_s=0.3).complete(REQUEST, Deadline(10.0))

    assert caught.value.reason == "MODEL_UNAVAILABLE"
    assert len(server.requests) == 1


def test_a_reply_without_end_is_given_up() -> None:
    with (
        FakeChatServer(Scripted(body=b" " * (9 * 1024 * 1024))).running() as server,
        pytest.raises(UnavailableError) as caught,
    ):
        client(server).complete(REQUEST, Deadline(10.0))

    assert caught.value.reason == "MODEL_REPLY_INVALID"


def test_half_a_character_is_neither_sent_nor_passed_on() -> None:
    body = json.dumps(completion("cut \ud83d")).encode()  # as JSON escapes, which any server may write
    with FakeChatServer(Scripted(body=body)).running() as server:
        reply = client(server).complete(ChatRequest([Message("user", "a \udc00 b")], 16), Deadline(5.0))

    assert reply.text == "cut \ufffd"
    assert server.requests[0]["messages"][0]["content"] == "a \ufffd b"


def test_neither_key_nor_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeChatServer(refused(400, {"error": "no: Say it."})).running() as server:
        asked = client(server, api_key="very-secret")
        with pytest.raises(PreconditionError):
            asked.complete(REQUEST, Deadline(5.0))

    assert server.headers[0]["authorization"] == "Bearer very-secret"
    assert "very-secret" not in caplog.text + repr(ChatServer("http://a", api_key="very-secret"))
    assert "Say it." not in caplog.text
