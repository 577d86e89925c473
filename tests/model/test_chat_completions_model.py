"""The client of language models before a real llama.cpp: which schemas it keeps to, and what it refuses."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.chat_completions import ChatClient, ChatRequest, ChatServer, Message, SchemaDialect
from chassis.deadline import Deadline
from chassis.errors import PreconditionError
from chassis.models import locate

pytestmark = [pytest.mark.model, pytest.mark.timeout(1200)]

SCHEMA = {
    "type": "object",
    "properties": {"s1": {"enum": ["action", "result"]}},
    "required": ["s1"],
    "additionalProperties": False,
}
ASKED = (Message("user", "Tell me a story about a cat as JSON with many fields."),)


@pytest.fixture(scope="module")
def address(models_dir: Path) -> Iterator[str]:
    try:
        model = locate("smollm2-135m", models_dir)
    except PreconditionError as error:
        pytest.skip(error.message)
    xllamacpp = pytest.importorskip("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model.path)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = 1024
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    try:
        yield server.listening_address
    finally:
        del server
        gc.collect()


def test_llama_cpp_keeps_to_a_schema_in_openais_form(address: str) -> None:
    reply = ChatClient(ChatServer(address)).complete(ChatRequest(ASKED, 40, SCHEMA), Deadline(120.0))

    assert set(json.loads(reply.text)) == {"s1"}


def test_llama_cpp_takes_the_older_form_and_enforces_nothing(address: str) -> None:
    server = ChatServer(address, schema_dialect=SchemaDialect.JSON_OBJECT)

    reply = ChatClient(server).complete(ChatRequest(ASKED, 40, SCHEMA), Deadline(120.0))

    assert '"s1"' not in reply.text


def test_a_request_over_its_context_is_named_as_such(address: str) -> None:
    with pytest.raises(PreconditionError) as caught:
        ChatClient(ChatServer(address)).complete(
            ChatRequest([Message("user", "word " * 5000)], 10), Deadline(120.0)
        )

    assert caught.value.reason == "MODEL_CONTEXT_EXCEEDED"
