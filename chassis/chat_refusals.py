"""Turns a model server's refusal into an error: its status and what its error body says decide.

An error body may quote the prompt, so none of its sentences goes on. What is named to the operator is the
body's code, where it is a plain identifier, and the name of a parameter that we sent.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.errors import ExhaustedError, InterviewError, PreconditionError, UnavailableError

logger = logging.getLogger(__name__)

DEFAULT_RETRY_AFTER_S = 5.0
MAX_RETRY_AFTER_S = 300.0
SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,59}")

PARAMETER_ADVICE = {
    "max_tokens": "Configure another model",
    "max_completion_tokens": "Configure another model",
    "top_logprobs": "Set ASSESSOR_TOKEN_PROBABILITIES=false",
    "logprobs": "Set ASSESSOR_TOKEN_PROBABILITIES=false",
    "response_format": "Set LLM_SCHEMA_DIALECT to a form that it takes",
    "structured_outputs": "Set LLM_SCHEMA_DIALECT to a form that it takes",
    "seed": "Configure another model",
    "temperature": "Configure another model",
}
"""The parameters that we send, and what to do where a server refuses one."""
SPENT = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|(?:exceeded|reached) your "
    r"(?:current |monthly |included )*(?:quota|credits|usage limit)|credit balance is too low|"
    r"billing_hard_limit|billing_not_active|quota_exceeded|out of credits"
)
PASSING = re.compile(r"per[ _-]?(?:second|minute|hour)|retrydelay|(?:retry|try again) in")
"""Said beside a quota that fills up again by itself."""
NO_SUCH_MODEL = frozenset({"model_not_found", "model_not_supported"})
TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window)|exceed_context_size|prompt is too long|input is too long|"
    r"tokens. must be <=|maximum number of tokens|string_above_max_length"
)
SHARED_CONTEXT_FULL = re.compile(r"context size has been exceeded")
"""llama.cpp with status 500: requests that fit one by one share a context, and it is full just now. A prompt
that can't fit has status 400 there."""
FILTERED = re.compile(r"content[_ ](?:filter|policy)|responsibleai|content management policy")


ABOUT_ONE_REQUEST = frozenset(
    {"MODEL_REPLY_INVALID", "MODEL_REQUEST_REFUSED", "MODEL_CONTEXT_EXCEEDED", "MODEL_CONTENT_REFUSED"}
)
"""Reasons that lie in what was asked: another request may fare better."""


class ParameterRefusedError(PreconditionError):
    """The server does not take a parameter of the request."""

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message, reason="MODEL_PARAMETER_REFUSED")
        self.parameter = parameter


@dataclass(frozen=True)
class _ErrorBody:
    """What an error body says, in lower case. `said` never leaves this module."""

    said: str = ""
    code: str = ""
    parameter: str = ""


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> InterviewError:
    """Make the error for a reply whose status is not a success, and log what the server named.

    Args:
        status: The HTTP status.
        headers: The reply's headers. `retry-after` is read.
        body: The reply's body in any of the shapes that servers use.
    """
    told = _read(body)
    error = _error(status, headers, told)
    logger.log(
        logging.INFO if isinstance(error, UnavailableError) else logging.WARNING,
        "The model's server refuses a request.",
        extra={
            "status": status,
            "error_code": told.code,
            "parameter": told.parameter,
            "reason": error.reason,
        },
    )
    return error


def unreachable(why: str) -> UnavailableError:
    """Make the error for a model that does not answer."""
    return UnavailableError(
        f"The model's server does not answer ({why}). Check that it runs, or try again later.",
        reason="MODEL_UNAVAILABLE",
    )


def _error(status: int, headers: Mapping[str, str], told: _ErrorBody) -> InterviewError:
    named = f"HTTP {status}, {told.code}" if told.code else f"HTTP {status}"
    if status == 402 or _is_spent(status, told):
        return ExhaustedError(
            f"The quota at the model's provider is spent ({named}). Raise it, or configure another provider.",
            reason="MODEL_QUOTA_EXCEEDED",
        )
    if status in (401, 403):
        return PreconditionError(
            f"Configure a key that the model's provider accepts for this model ({named}).",
            reason="MODEL_AUTH_FAILED",
        )
    if status == 500 and SHARED_CONTEXT_FULL.search(told.said):
        return _busy(f"{named}, its context is full", headers)
    if status in (400, 413, 422, 500) and TOO_LONG.search(told.said):
        return PreconditionError(
            f"The request does not fit into the model's context ({named}). Give its server a longer one.",
            reason="MODEL_CONTEXT_EXCEEDED",
        )
    if status == 429:
        return UnavailableError(
            f"The model's provider limits its requests ({named}). Try again later.",
            reason="MODEL_RATE_LIMITED",
            retry_after_s=_retry_after_s(headers, DEFAULT_RETRY_AFTER_S),
        )
    if status in (408, 409, 425) or status >= 500:
        return _busy(named, headers)
    if status == 404 or told.code in NO_SUCH_MODEL:
        return PreconditionError(
            f"The server has no such address or model ({named}). Check LLM_BASE_URL and LLM_MODEL.",
            reason="MODEL_NOT_FOUND",
        )
    return _request_refused(named, told)


def _is_spent(status: int, told: _ErrorBody) -> bool:
    if not 400 <= status < 500 or not SPENT.search(told.said):
        return False
    return "insufficient_quota" in told.said or not PASSING.search(told.said)


def _request_refused(named: str, told: _ErrorBody) -> PreconditionError:
    if FILTERED.search(told.said):
        return PreconditionError(
            f"The model's provider filters what was said ({named}). Configure another model.",
            reason="MODEL_CONTENT_REFUSED",
        )
    if told.parameter:
        return ParameterRefusedError(
            f"The model's server refuses the parameter {told.parameter} ({named}). "
            f"{PARAMETER_ADVICE[told.parameter]}.",
            told.parameter,
        )
    return PreconditionError(
        f"The model's server refuses the request ({named}). Check the settings of the language model.",
        reason="MODEL_REQUEST_REFUSED",
    )


def _busy(named: str, headers: Mapping[str, str]) -> UnavailableError:
    error = unreachable(named)
    error.retry_after_s = _retry_after_s(headers, None)
    return error


def _read(body: bytes) -> _ErrorBody:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _ErrorBody()
    said = json.dumps(document).lower()
    fields = list(_fields(document))
    codes = [
        value
        for wanted in ("code", "type", "status", "reason", "error_type")
        for name, value in fields
        if name == wanted and IDENTIFIER.fullmatch(value)
    ]
    named = {value for name, value in fields if name in ("param", "loc")}
    parameter = next((known for known in PARAMETER_ADVICE if known in named), "") or next(
        (known for known in PARAMETER_ADVICE if re.search(rf"\b{known}\b", said)), ""
    )
    return _ErrorBody(said, next((code for code in codes if code.lower() != "error"), ""), parameter)


def _fields(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of a body by the names of their fields, at any of the depths that servers use."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        elif isinstance(value, str):
            yield name, value


def _retry_after_s(headers: Mapping[str, str], otherwise_s: float | None) -> float | None:
    asked = headers.get("retry-after", "").strip()  # Absent, or a date, which providers do not send.
    return min(float(asked), MAX_RETRY_AFTER_S) if SECONDS.fullmatch(asked) else otherwise_s
