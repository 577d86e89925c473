"""Bodies of requests that are read by hand: how, and what the API's documentation says of them."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from chassis.errors import InvalidInputError
from chassis.limits import MAX_QUESTION_CHARACTERS
from gateway.schemas import ReassessmentOrder

_LANGUAGE: dict[str, Any] = {
    "type": "string",
    "description": "A language tag (BCP-47) of one that `GET /languages` lists, or `auto`.",
}
_QUESTION: dict[str, Any] = {"type": "string", "maxLength": MAX_QUESTION_CHARACTERS}
_RUBRIC: dict[str, Any] = {
    "type": "string",
    "description": "One that `GET /rubrics` lists. Empty: the default.",
}

_UPLOAD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "videos": {
            "type": "array",
            # Both ways of saying "a file": the standard's, and the older one that generators of clients read.
            "items": {
                "type": "string",
                "contentMediaType": "application/octet-stream",
                "format": "binary",
            },
            "description": "Recordings, in order. `files` is understood as well.",
        },
        "questions": {
            "type": "array",
            "items": _QUESTION,
            "description": "One question a recording, in the same order.",
        },
        "candidate_name": {"type": "string"},
        "language": _LANGUAGE,
        "rubric": {
            "type": "array",
            "items": _RUBRIC,
            "description": "What answers are judged by: one rubric for all, or one each.",
        },
        "jumlah_pertanyaan": {
            "type": "integer",
            "description": "In place of `questions`. One that is not the number of recordings is accepted,"
            " with a sentence in `warnings`.",
        },
    },
}

_INTERVIEW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "positionId": {"type": "integer", "minimum": 1, "maximum": 1000},
        "question": _QUESTION,
        "isVideoExist": {"type": "boolean"},
        "recordedVideoUrl": {
            "type": "string",
            "description": "A Google Drive share link or a direct http(s) link that everyone can open.",
        },
        "rubric": _RUBRIC,
    },
    "required": ["question", "recordedVideoUrl"],
}

_LINKS: dict[str, Any] = {
    "type": "object",
    "required": ["success", "data"],
    "properties": {
        "success": {"const": True},
        "language": _LANGUAGE,
        "rubric": _RUBRIC,
        "data": {
            "type": "object",
            "required": ["candidate", "reviewChecklists"],
            "properties": {
                "candidate": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string", "minLength": 1}},
                },
                "reviewChecklists": {
                    "type": "object",
                    "required": ["interviews"],
                    "properties": {"interviews": {"type": "array", "minItems": 1, "items": _INTERVIEW}},
                },
            },
        },
    },
}

_LINKS_EXAMPLE: dict[str, Any] = {
    "success": True,
    "language": "en",
    "data": {
        "candidate": {"name": "A. Candidate"},
        "reviewChecklists": {
            "interviews": [
                {
                    "positionId": 1,
                    "question": "What did you build last?",
                    "isVideoExist": True,
                    "recordedVideoUrl": "https://drive.google.com/file/d/FILE_ID/view",
                }
            ]
        },
    },
}


def _body(media_type: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {media_type: content}}}


UPLOAD_BODY = _body("multipart/form-data", _UPLOAD)
LINKS_BODY = _body("application/json", _LINKS, _LINKS_EXAMPLE)
ORDER_BODY = _body("application/json", ReassessmentOrder.model_json_schema(), {"rubric_id": "technical"})


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return a short body whole. One that says that it is longer is refused before a byte of it is read.

    Raises:
        InvalidInputError: It has more than `max_bytes` (`UPLOAD_TOO_LARGE`).
    """
    told = request.headers.get("content-length", "")
    data = bytearray()
    _check_bytes(int(told) if told.isdecimal() else 0, max_bytes)
    async for chunk in request.stream():
        data += chunk
        _check_bytes(len(data), max_bytes)
    return bytes(data)


def _check_bytes(count: int, max_bytes: int) -> None:
    if count > max_bytes:
        raise InvalidInputError(
            f"The body is too large. Max: {max_bytes} bytes. Send less at once.", reason="UPLOAD_TOO_LARGE"
        )
