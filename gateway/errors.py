"""Errors as clients see them: one body for all, `detail` as FastAPI has it.

    {"success": false, "code": "UPPER_SNAKE", "error": …, "message": …, "detail": …}

`error` serves the original's upload page, `message` its results page, `detail` the design document.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from chassis.errors import InterviewError

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""nginx's word for a client that left. Nobody reads the answer."""

STATUS_BY_CODE: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "FAILED_PRECONDITION": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "CANCELLED": CLIENT_CLOSED_REQUEST,
    "INTERNAL": 500,
}

STATUS_BY_REASON: Mapping[str, int] = {
    "FILE_TOO_LARGE": 413,
    "UPLOAD_TOO_LARGE": 413,
    "FIELD_TOO_LARGE": 413,
    "NOT_A_VIDEO": 415,
    "CONTENT_TYPE_UNSUPPORTED": 415,
    "UPLOAD_STALLED": 408,
    "UPLOAD_TOO_SLOW": 408,
    "RESULT_EXPIRED": 410,
    "SPOOL_FULL": 507,
    "UPLOADS_FULL": 503,
    "STREAMS_FULL": 503,
    "SESSIONS_FULL": 503,
    "QUEUE_FULL": 503,
}
"""Where HTTP has a better word than the code's own."""


HTTP_MESSAGES: Mapping[int, str] = {
    404: "There is nothing at this address. /docs lists the addresses that there are.",
    405: "This address does not take this method. /docs lists what each address takes.",
}
"""In place of the framework's own words, which don't say what to do."""


def error_body(code: str, message: str, *, detail: Any = None, **more: Any) -> dict[str, Any]:
    """Return the body of an error. `detail` is the message unless given."""
    return {
        "success": False,
        "code": code,
        "error": message,
        "message": message,
        "detail": message if detail is None else detail,
        **more,
    }


def http_status(error: InterviewError) -> int:
    """Return the HTTP status of an error."""
    return STATUS_BY_REASON.get(error.reason, STATUS_BY_CODE.get(error.code, 500))


def to_response(error: InterviewError, **more: Any) -> JSONResponse:
    """Return an error as an HTTP response, with `more` in its body."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.fields:
        more["fields"] = error.fields
    return JSONResponse(error_body(error.reason, error.message, **more), http_status(error), headers)


def missing_field(name: str) -> RequestValidationError:
    """Return FastAPI's own complaint about an absent form field."""
    return RequestValidationError(
        [{"type": "missing", "loc": ("body", name), "msg": "Field required", "input": None}]
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of an application answer in our shape."""
    app.add_exception_handler(InterviewError, _interview_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _client_left)
    app.add_exception_handler(Exception, _bug)


async def _interview_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, InterviewError)  # noqa: S101  # registered for this type only
    return to_response(error)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = jsonable_encoder(error.errors())
    places = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in problems)
    return JSONResponse(
        error_body("REQUEST_INVALID", f"Correct the request. {places}.", detail=problems), 422
    )


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = HTTPStatus(error.status_code).name
    message = HTTP_MESSAGES.get(error.status_code, str(error.detail))
    return JSONResponse(error_body(code, message), error.status_code, error.headers)


async def _client_left(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _bug(_: Request, error: Exception) -> Response:
    return answer_of_bug(error)


def answer_of_bug(error: Exception) -> JSONResponse:
    """Log an error that nobody foresaw, and return the answer, which has nothing of it."""
    logger.error("unhandled error", exc_info=error)
    message = (
        "Something went wrong on our side. Try again. If it fails again, tell the operator the X-Request-ID."
    )
    return JSONResponse(error_body("INTERNAL", message), 500)
