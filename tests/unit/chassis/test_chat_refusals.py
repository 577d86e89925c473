"""What a model server's refusal means: its error body decides, and none of its sentences goes on."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from chassis.chat_refusals import ParameterRefusedError, refusal
from chassis.errors import InterviewError

SAID = "I led the team at Acme"


def of(status: int, body: Any, **headers: str) -> InterviewError:
    return refusal(status, headers, json.dumps(body).encode())


def openai(code: str | None, message: str, param: str | None = None, kind: str = "x") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (429, openai("insufficient_quota", "You exceeded your current quota."), "MODEL_QUOTA_EXCEEDED"),
        (429, openai(None, "Slow down.", kind="insufficient_quota"), "MODEL_QUOTA_EXCEEDED"),
        (402, {"error": "You have exceeded your monthly included credits."}, "MODEL_QUOTA_EXCEEDED"),
        (400, openai(None, "Your credit balance is too low to access it."), "MODEL_QUOTA_EXCEEDED"),
        (
            429,
            {"error": "You exceeded your current quota. Retry in 9 s."},
            "MODEL_RATE_LIMITED",
        ),
        (400, openai("model_not_supported", "Not at this provider.", "model"), "MODEL_NOT_FOUND"),
        (429, openai("rate_limit_exceeded", "Rate limit reached."), "MODEL_RATE_LIMITED"),
        (400, openai("context_length_exceeded", "max_tokens is too large."), "MODEL_CONTEXT_EXCEEDED"),
        (
            400,
            {"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error"}},
            "MODEL_CONTEXT_EXCEEDED",
        ),
        (
            422,
            {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096.", "error_type": "validation"},
            "MODEL_CONTEXT_EXCEEDED",
        ),
        (
            400,
            {
                "object": "error",
                "message": "This model's maximum context length is 4096.",
                "code": 400,
            },
            "MODEL_CONTEXT_EXCEEDED",
        ),
        (400, openai("content_filter", "The response was filtered."), "MODEL_CONTENT_REFUSED"),
        (401, openai("invalid_api_key", "Incorrect API key provided: sk-1."), "MODEL_AUTH_FAILED"),
        (404, openai("model_not_found", "No such model."), "MODEL_NOT_FOUND"),
        (400, openai(None, "Bad."), "MODEL_REQUEST_REFUSED"),
        (400, [{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}], "MODEL_REQUEST_REFUSED"),
        (409, {}, "MODEL_UNAVAILABLE"),
        (
            500,  # llama.cpp where requests share one context: each of them fits when it comes alone
            {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}},
            "MODEL_UNAVAILABLE",
        ),
        (500, {"error": "Input is too long for this model's context length."}, "MODEL_CONTEXT_EXCEEDED"),
        (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, "MODEL_UNAVAILABLE"),
    ],
)
def test_the_error_body_decides_the_reason(status: int, body: Any, reason: str) -> None:
    assert of(status, body).reason == reason


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (openai("unsupported_parameter", "Use 'max_completion_tokens' instead.", "max_tokens"), "max_tokens"),
        (openai(None, "unknown field logprobs"), "logprobs"),
        (openai("unsupported_value", "Only the default is supported.", "temperature"), "temperature"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs", "type": "extra_forbidden"}]}, "seed"),
    ],
)
def test_a_refused_parameter_is_named_with_what_to_do(body: Any, parameter: str) -> None:
    error = of(400, body)

    assert isinstance(error, ParameterRefusedError)
    assert error.parameter == parameter
    assert f"the parameter {parameter}" in error.message
    assert error.message.endswith(("another model.", "=false."))


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409, 422, 429, 500])
def test_no_sentence_of_the_body_is_told_or_logged(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    error = of(status, openai(SAID, f"refused: {SAID}", SAID, SAID))

    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "Acme" not in error.message + logged


def test_the_servers_code_is_named_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    error = of(429, openai("insufficient_quota", "Spent."))

    assert "HTTP 429, insufficient_quota" in error.message
    assert vars(caplog.records[0])["error_code"] == "insufficient_quota"


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b'"text"', b"null", b"5"])
def test_a_body_of_any_other_form_says_nothing(body: bytes) -> None:
    assert refusal(400, {}, body).reason == "MODEL_REQUEST_REFUSED"


@pytest.mark.parametrize(
    ("header", "wait_s"), [("17", 17.0), ("1.5", 1.5), ("9999", 300.0), ("nan", 5.0), ("-3", 5.0), ("", 5.0)]
)
def test_retry_after_is_read_within_bounds(header: str, wait_s: float) -> None:
    assert of(429, {}, **{"retry-after": header}).retry_after_s == wait_s
