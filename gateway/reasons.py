"""Every reason that an answer's `code` can have, for the API's documentation. `docs/errors.md` says more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import error_body
from gateway.schemas import ErrorAnswer


@dataclass(frozen=True)
class Reason:
    """A reason of an error."""

    status: int
    """The HTTP status that it comes with."""
    meaning: str
    """When it comes, as half a sentence."""


REASONS: Mapping[str, Reason] = {
    "BODY_INVALID": Reason(400, "a part of the body is missing"),
    "FILE_EMPTY": Reason(400, "an uploaded file has no byte"),
    "FILE_TYPE_INVALID": Reason(400, "the extension is not one of mp4, avi, mov, mkv, webm"),
    "HTTP_INVALID": Reason(400, "not HTTP, or an address and headers of more than 64 KB"),
    "LENGTH_AMBIGUOUS": Reason(400, "both a Content-Length and a Transfer-Encoding"),
    "JSON_INVALID": Reason(400, "the body is not JSON"),
    "LANGUAGE_INVALID": Reason(400, "not a language that the loaded model understands"),
    "MULTIPART_INVALID": Reason(400, "the form is malformed or ends early"),
    "PAGE_INVALID": Reason(400, "not a page token of ours"),
    "QUESTION_COUNT_INVALID": Reason(400, "jumlah_pertanyaan is not 1 to 100"),
    "QUESTION_COUNT_MISMATCH": Reason(400, "not one question a video"),
    "QUESTION_TOO_LONG": Reason(400, "a question is too long"),
    "RUBRIC_COUNT_MISMATCH": Reason(400, "neither one rubric nor one a video"),
    "RUBRIC_UNKNOWN": Reason(400, "there is no such rubric"),
    "SESSION_ID_INVALID": Reason(400, "neither 32 hex digits nor a UUID"),
    "SESSION_INVALID": Reason(400, "fields of the session are wrong, `fields` names them"),
    "STATE_UNKNOWN": Reason(400, "there is no such state"),
    "TOO_MANY_FIELDS": Reason(400, "too many form fields"),
    "TOO_MANY_FILES": Reason(400, "more recordings than a session takes"),
    "API_KEY_INVALID": Reason(403, "no key, or an unknown or expired one"),
    "API_KEY_MISTYPED": Reason(403, "a key with a wrong character, or a part of one"),
    "API_KEY_SCOPE_MISSING": Reason(403, "the key lacks the scope"),
    "SIGN_IN_NEXT_INVALID": Reason(400, "`next` is not a path of this site"),
    "SIGN_IN_STATE_INVALID": Reason(400, "this browser began no such sign-in, or too long ago"),
    "SIGN_IN_ENDED": Reason(403, "the person's sign-in is over"),
    "SIGN_IN_GROUP_MISSING": Reason(403, "the person is in no group that is let in"),
    "SIGN_IN_REFUSED": Reason(403, "the provider refused the sign-in, or its code"),
    "SIGN_IN_SCOPE_MISSING": Reason(403, "no group of the person grants the scope"),
    "SIGN_IN_TOKEN_INVALID": Reason(403, "a check of the provider's ID token fails"),
    "SIGN_IN_OFF": Reason(404, "no sign-in provider is set up"),
    "TOO_MANY_SIGN_INS": Reason(429, "too many sign-ins from this address have failed"),
    "SIGN_IN_PROVIDER_UNAVAILABLE": Reason(503, "the sign-in provider can't be reached or is of no use"),
    "HOST_FORBIDDEN": Reason(421, "a host name that is not allowed"),
    "ORIGIN_FORBIDDEN": Reason(403, "a page of another site asks"),
    "MEDIA_NOT_FOUND": Reason(404, "there is no such recording"),
    "NOT_FOUND": Reason(404, "nothing is at this address"),
    "OBJECT_NOT_FOUND": Reason(404, "the recording was deleted meanwhile"),
    "RESULT_VERSION_NOT_FOUND": Reason(404, "there is no such version of the result"),
    "SESSION_NOT_FOUND": Reason(404, "it never existed, or was deleted"),
    "METHOD_NOT_ALLOWED": Reason(405, "the address takes another method"),
    "HEADERS_STALLED": Reason(408, "the headers did not arrive in time"),
    "UPLOAD_STALLED": Reason(408, "nothing arrived for a while"),
    "UPLOAD_TOO_SLOW": Reason(408, "the body comes slower than is allowed"),
    "DUPLICATE_IN_PROGRESS": Reason(409, "an upload with this Idempotency-Key is under way"),
    "RESULT_NOT_MADE": Reason(409, "the session failed before it had a result"),
    "SESSION_DELETED": Reason(409, "a session of this id was deleted"),
    "SESSION_DIFFERS": Reason(409, "another upload had this Idempotency-Key"),
    "SESSION_HELD": Reason(409, "it is under a legal hold"),
    "SESSION_NOT_FINISHED": Reason(409, "asked too early"),
    "RESULT_EXPIRED": Reason(410, "the document is gone"),
    "FIELD_TOO_LARGE": Reason(413, "a form field is too long"),
    "FILE_TOO_LARGE": Reason(413, "a recording is over the limit"),
    "UPLOAD_TOO_LARGE": Reason(413, "the whole body is too large"),
    "CONTENT_TYPE_UNSUPPORTED": Reason(415, "the body is not multipart/form-data"),
    "NOT_A_VIDEO": Reason(415, "the bytes are not those of a video"),
    "REQUEST_INVALID": Reason(422, "fields are wrong, `detail` lists them"),
    "BYTE_QUOTA_EXCEEDED": Reason(429, "too many bytes of one client"),
    "RATE_LIMITED": Reason(429, "too many uploads of one client"),
    "TOO_MANY_WRONG_KEYS": Reason(429, "too many wrong keys came from this address"),
    "STREAMS_OF_CLIENT_FULL": Reason(429, "too many event streams of one client"),
    "UPLOADS_OF_CLIENT_FULL": Reason(429, "too many uploads of one client at once"),
    "INTERNAL": Reason(500, "a fault on our side"),
    "DATABASE_UNAVAILABLE": Reason(503, "the state can't be read or written at the moment"),
    "NOT_READY": Reason(503, "something is not up yet"),
    "ORCHESTRATOR_UNAVAILABLE": Reason(503, "the assessment service can't be reached"),
    "QUEUE_FULL": Reason(503, "too much waits already"),
    "RUBRICS_NOT_KNOWN": Reason(503, "the assessor can't be asked for its rubrics"),
    "SESSIONS_FULL": Reason(503, "too many sessions wait"),
    "SESSION_STOPPING": Reason(503, "stages of a deleted session still stop"),
    "OBJECT_CHANGED": Reason(503, "the recording was replaced while it was read"),
    "STORE_FULL": Reason(503, "the media store has no space left"),
    "STORE_REFUSED": Reason(503, "the media store refuses our credentials"),
    "STORE_UNAVAILABLE": Reason(503, "the media store can't be reached"),
    "UNAVAILABLE": Reason(503, "a process can't be reached"),
    "SPOOL_UNAVAILABLE": Reason(503, "the disk for arriving uploads can't be used"),
    "SPOOL_FULL": Reason(507, "the disk for arriving uploads is full"),
    "UPLOAD_UNCERTAIN": Reason(503, "it is not certain that the upload was accepted"),
    "STREAMS_FULL": Reason(503, "too many event streams at once"),
    "UPLOADS_FULL": Reason(503, "too many uploads at once"),
    "DEADLINE_EXCEEDED": Reason(504, "the assessment service did not answer in time"),
}

ALWAYS = (
    "HTTP_INVALID",
    "LENGTH_AMBIGUOUS",
    "HEADERS_STALLED",
    "API_KEY_INVALID",
    "API_KEY_MISTYPED",
    "API_KEY_SCOPE_MISSING",
    "SIGN_IN_ENDED",
    "SIGN_IN_GROUP_MISSING",
    "SIGN_IN_SCOPE_MISSING",
    "TOO_MANY_WRONG_KEYS",
    "HOST_FORBIDDEN",
    "ORIGIN_FORBIDDEN",
    "INTERNAL",
)
"""What every answer but those about the service itself can say."""
ASKING = (
    "ORCHESTRATOR_UNAVAILABLE",
    "UNAVAILABLE",
    "QUEUE_FULL",
    "DATABASE_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
)
"""What a question to the orchestrator can end with."""
OF_A_SIGN_IN = (
    "SIGN_IN_OFF",
    "SIGN_IN_STATE_INVALID",
    "SIGN_IN_REFUSED",
    "SIGN_IN_TOKEN_INVALID",
    "TOO_MANY_SIGN_INS",
    "SIGN_IN_PROVIDER_UNAVAILABLE",
)
"""What coming back from the sign-in provider can end with."""
OF_THE_STORE = ("STORE_FULL", "STORE_REFUSED", "STORE_UNAVAILABLE")
"""What reading or writing recordings can end with."""
OF_A_SESSION = ("SESSION_ID_INVALID", "SESSION_NOT_FOUND", *ASKING)
OF_AN_UPLOAD = (
    "LANGUAGE_INVALID",
    "QUESTION_TOO_LONG",
    "RUBRIC_UNKNOWN",
    "TOO_MANY_FILES",
    "UPLOAD_STALLED",
    "UPLOAD_TOO_LARGE",
    "BYTE_QUOTA_EXCEEDED",
    "UPLOAD_TOO_SLOW",
    "RATE_LIMITED",
    *OF_THE_STORE,
    "SESSION_INVALID",
    "SESSIONS_FULL",
    "UPLOAD_UNCERTAIN",
    "SESSION_DELETED",
    "SESSION_DIFFERS",
    *ASKING,
)
OF_THE_SPOOL = ("SPOOL_UNAVAILABLE", "SPOOL_FULL")
OF_A_FORM = (
    *OF_THE_SPOOL,
    "FILE_EMPTY",
    "FILE_TYPE_INVALID",
    "MULTIPART_INVALID",
    "QUESTION_COUNT_INVALID",
    "QUESTION_COUNT_MISMATCH",
    "RUBRIC_COUNT_MISMATCH",
    "TOO_MANY_FIELDS",
    "DUPLICATE_IN_PROGRESS",
    "FIELD_TOO_LARGE",
    "FILE_TOO_LARGE",
    "CONTENT_TYPE_UNSUPPORTED",
    "NOT_A_VIDEO",
    "REQUEST_INVALID",
    "UPLOADS_FULL",
    "UPLOADS_OF_CLIENT_FULL",
)


def error_answers(*reasons: str, always: Iterable[str] = ALWAYS) -> dict[int | str, dict[str, Any]]:
    """Return the documented error answers of a route, one a status, with an example for each reason.

    Args:
        reasons: Reasons that it can give.
        always: Reasons that it can give like every other one.
    """
    by_status: dict[int, list[str]] = {}
    for name in sorted({*reasons, *always}):
        by_status.setdefault(REASONS[name].status, []).append(name)
    return {status: _error_answer(names) for status, names in sorted(by_status.items())}


def _error_answer(names: list[str]) -> dict[str, Any]:
    return {
        "model": ErrorAnswer,
        "description": "; ".join(f"`{name}`: {REASONS[name].meaning}" for name in names) + ".",
        "content": {"application/json": {"examples": {name: _example(name) for name in names}}},
    }


def _example(name: str) -> dict[str, Any]:
    meaning = REASONS[name].meaning
    message = f"{meaning[0].upper()}{meaning[1:]}."
    return {"value": error_body(name, message)}
