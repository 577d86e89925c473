"""The body of `POST /upload_json`, with the original's checks in the original's order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from chassis.errors import InvalidInputError
from chassis.limits import MAX_LINK_CHARACTERS, MAX_NAME_CHARACTERS
from gateway.capabilities import check_language
from gateway.sessions import AnswerDraft, SessionDraft
from gateway.uploads.forms import check_question
from gateway.uploads.texts import encodable_json, single_line

DEFAULT_LANGUAGE = "en"


def read_linked_session(
    session_id: str, body: bytes, languages: Sequence[str], max_answer_count: int
) -> SessionDraft:
    """Read the body.

    Raises:
        InvalidInputError: It is not as the original wants it. An answer that is wrong by itself
            doesn't raise. It is kept with its reason.
    """
    root = _parse(body)
    data = root.get("data")
    if not root.get("success") or not isinstance(data, dict) or not data:
        raise _invalid("Invalid JSON: missing success or data. Send an object with both.")
    name = _dict(data.get("candidate")).get("name")
    if not isinstance(name, str) or not name.strip():
        raise _invalid("Missing candidate name. Send it as data.candidate.name.")
    interviews = _dict(data.get("reviewChecklists")).get("interviews")
    if not interviews:
        raise _invalid("Missing interviews data. Send a list as data.reviewChecklists.interviews.")
    if not isinstance(interviews, list):
        raise _invalid("Interviews array is empty. Send a list as data.reviewChecklists.interviews.")
    language = check_language(str(root.get("language") or DEFAULT_LANGUAGE), languages)
    if len(interviews) > max_answer_count:
        raise InvalidInputError(
            f"Too many videos. Max: {max_answer_count} a session. Send the others in another session.",
            reason="TOO_MANY_FILES",
        )
    return SessionDraft(
        session_id,
        single_line(name)[:MAX_NAME_CHARACTERS],
        language,
        _answers(interviews),
        rubric_id=_rubric(root),
    )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        root = encodable_json(json.loads(body))
    except (ValueError, RecursionError):
        raise InvalidInputError(
            "The body is not JSON. Send a JSON object as application/json.", reason="JSON_INVALID"
        ) from None
    if not isinstance(root, dict):
        raise _invalid("Invalid JSON: missing success or data. Send an object with both.")
    return cast("dict[str, Any]", root)


def _answers(interviews: list[Any]) -> tuple[AnswerDraft, ...]:
    positions = [_position(item) for item in interviews]
    if None in positions or len(set(positions)) != len(positions):
        positions = list(range(1, len(interviews) + 1))  # as the original where positionId is absent
    return tuple(_answer(position or 0, item) for position, item in zip(positions, interviews, strict=True))


def _position(item: Any) -> int | None:
    value = _dict(item).get("positionId")
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000 else None


def _answer(position: int, item: Any) -> AnswerDraft:
    fields = _dict(item)
    question, url = fields.get("question"), fields.get("recordedVideoUrl")
    text = check_question(question, position) if isinstance(question, str) else ""
    if not text:
        return AnswerDraft(position, "", unavailable_reason="QUESTION_MISSING")
    if fields.get("isVideoExist") is False or not isinstance(url, str) or not url.strip():
        return AnswerDraft(position, text, unavailable_reason="VIDEO_URL_MISSING")
    if len(url) > MAX_LINK_CHARACTERS:
        return AnswerDraft(position, text, unavailable_reason="LINK_INVALID")
    return AnswerDraft(position, text, link=url.strip(), rubric_id=_rubric(fields))


def _rubric(fields: dict[str, Any]) -> str:
    value = fields.get("rubric")
    return value.strip() if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _invalid(message: str) -> InvalidInputError:
    return InvalidInputError(message, reason="BODY_INVALID")
