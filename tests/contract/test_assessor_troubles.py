"""The assessor on a real socket while its model's server refuses, answers nonsense, is slow or is down."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from chassis.chat_completions import ChatClient, ChatRequest, ChatServer, Message
from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    InterviewError,
    PreconditionError,
    UnavailableError,
)
from interview.v1 import media_pb2
from tests.assessor_server import assess, assessor, failure, request
from tests.fakes.assessor import FakeChatServer, Scripted, completion, deadline

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("bare")]
TAGS = json.dumps({"s1": "situation", "s2": "action", "s3": "action", "s4": "result", "s5": "lesson"})
REFUSALS = [
    (400, PreconditionError, "MODEL_REQUEST_REFUSED"),
    (401, PreconditionError, "MODEL_AUTH_FAILED"),
    (402, ExhaustedError, "MODEL_QUOTA_EXCEEDED"),
    (403, PreconditionError, "MODEL_AUTH_FAILED"),
    (404, PreconditionError, "MODEL_NOT_FOUND"),
    (422, PreconditionError, "MODEL_REQUEST_REFUSED"),
    (429, UnavailableError, "MODEL_RATE_LIMITED"),
    (500, UnavailableError, "MODEL_UNAVAILABLE"),
    (503, UnavailableError, "MODEL_UNAVAILABLE"),
    (302, PreconditionError, "MODEL_REQUEST_REFUSED"),
]


@pytest.mark.parametrize(("status", "error_class", "reason"), REFUSALS)
async def test_a_refusal_of_the_model_is_a_typed_error(
    status: int, error_class: type[InterviewError], reason: str
) -> None:
    refusals = [Scripted(status, b'{"error": "no"}')] * 30

    error = await failure(FakeChatServer(*refusals), timeout_s=5.0)

    assert type(error) is error_class
    assert error.reason == reason


@pytest.mark.parametrize(("status", "error_class", "reason"), REFUSALS[:-1])
async def test_hugging_faces_refusals_are_the_same_errors(
    status: int, error_class: type[InterviewError], reason: str
) -> None:
    server = FakeChatServer(*[Scripted(status, b'{"error": "no"}')] * 30)
    with server.running():
        settings = {
            "backend": "huggingface",
            "hf_token": "hf_x",
            "llm_model": "m",
            "hf_endpoint_url": server.url,
        }
        async with assessor(**settings) as stub:
            with pytest.raises(error_class) as caught:
                await assess(stub, request(), 5.0)

    assert caught.value.reason == reason


async def test_a_rate_limit_says_when_to_come_back() -> None:
    error = await failure(FakeChatServer(Scripted(429, b"{}", headers={"Retry-After": "37"})))

    assert error.retry_after_s == 37.0


UNUSABLE = [
    b"",
    b"<html>gateway</html>",
    b"[]",
    b'{"choices": []}',
    json.dumps(completion("Sure, here you go!")).encode(),
    json.dumps(completion('{"s1": "situation"}')).encode(),
    json.dumps(completion('{"s1": "situation", "s2":', finish_reason="length")).encode(),
    json.dumps(completion(TAGS, finish_reason="length")).encode(),
    json.dumps(completion(TAGS.replace("lesson", "brilliant"))).encode(),
    b"\xff\xfe{}",
]


@pytest.mark.parametrize("body", UNUSABLE)
async def test_an_unusable_reply_is_asked_for_again_and_then_an_error(body: bytes) -> None:
    server = FakeChatServer(Scripted(body=body), Scripted(body=body))

    error = await failure(server)

    assert isinstance(error, UnavailableError)
    assert error.reason == "MODEL_REPLY_INVALID"
    assert len(server.requests) == 2


@pytest.mark.parametrize("body", UNUSABLE)
async def test_one_unusable_reply_costs_nothing_but_time(body: bytes) -> None:
    with FakeChatServer(Scripted(body=body)).running() as server:
        async with assessor(llm_base_url=server.url) as stub:
            assessment = await assess(stub, request())

    assert assessment.criteria[0].level > 4.5


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices": []}'])
async def test_what_hugging_faces_client_can_not_read_is_an_unusable_reply(body: bytes) -> None:
    with FakeChatServer(Scripted(body=body), Scripted(body=body)).running() as server:
        settings = {
            "backend": "huggingface",
            "hf_token": "hf_x",
            "llm_model": "m",
            "hf_endpoint_url": server.url,
        }
        async with assessor(**settings) as stub:
            with pytest.raises(UnavailableError) as caught:
                await assess(stub, request())

    assert caught.value.reason == "MODEL_REPLY_INVALID"


async def test_a_server_that_is_down_is_unavailable_and_no_number_appears() -> None:
    async with assessor(llm_base_url="http://127.0.0.1:9/v1") as stub:
        with pytest.raises(UnavailableError) as caught:
            await assess(stub, request(), 5.0)

    assert caught.value.reason == "MODEL_UNAVAILABLE"


@pytest.mark.parametrize("slow", [Scripted(delay_s=3.0), Scripted(drip_s=0.05)])
async def test_a_slow_server_is_given_up_in_time(slow: Scripted) -> None:
    begin_s = time.monotonic()

    error = await failure(FakeChatServer(slow), request_timeout_s=0.4)

    assert error.reason == "MODEL_UNAVAILABLE"
    assert time.monotonic() - begin_s < 8


@pytest.mark.parametrize("slow", [Scripted(delay_s=3.0), Scripted(drip_s=0.05)])
def test_the_callers_deadline_bounds_the_model_call(slow: Scripted) -> None:
    with FakeChatServer(slow).running() as server:
        model = ChatClient(ChatServer(server.url, "m", attempt_timeout_s=60.0))
        begin_s = time.monotonic()
        with pytest.raises(DeadlineError):
            model.complete(ChatRequest([Message("user", "?")], 5), deadline(0.5))

        assert time.monotonic() - begin_s < 2.5


SLOW_ANSWER_S = 30.0
"""As long as no model takes here. A cancelled call does not wait for it."""


async def test_a_cancelled_call_frees_its_worker_long_before_the_model_answers() -> None:
    with FakeChatServer(Scripted(delay_s=SLOW_ANSWER_S)).running() as server:
        async with assessor(llm_base_url=server.url, worker_count=1, waiting_count=1) as stub:
            call = stub.Assess(request())
            assert await asyncio.to_thread(server.asked.wait, SLOW_ANSWER_S)
            call.cancel()
            begin_s = time.monotonic()
            assessment = await assess(stub, request())
            elapsed_s = time.monotonic() - begin_s

    assert assessment.method == "llm"
    assert elapsed_s < SLOW_ANSWER_S / 2


async def test_a_model_that_fails_at_the_conclusion_costs_the_conclusion_only() -> None:
    with FakeChatServer(Scripted(), Scripted(400, b"{}")).running() as server:
        async with assessor(llm_base_url=server.url) as stub:
            assessment = await assess(stub, request())

    assert assessment.outcome == media_pb2.OUTCOME_OK
    assert not assessment.HasField("conclusion")
    assert assessment.conclusion_absent_reason


async def test_a_slow_conclusion_does_not_cost_the_levels() -> None:
    with FakeChatServer(Scripted(), Scripted(delay_s=8.0)).running() as server:
        async with assessor(llm_base_url=server.url) as stub:
            assessment = await assess(stub, request(), timeout_s=6.0)

    assert assessment.outcome == media_pb2.OUTCOME_OK
    assert not assessment.HasField("conclusion")


async def test_a_full_waiting_room_refuses_at_once() -> None:
    with FakeChatServer(Scripted(delay_s=2.0)).running() as server:
        async with assessor(llm_base_url=server.url, worker_count=1, waiting_count=0) as stub:
            first = asyncio.ensure_future(assess(stub, request()))
            await asyncio.to_thread(server.asked.wait, 10)
            with pytest.raises(ExhaustedError) as caught:
                await assess(stub, request())
            await first

    assert caught.value.reason == "QUEUE_FULL"
