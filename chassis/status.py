"""Errors on the wire: `chassis.errors` ⇄ `google.rpc.Status` with its details."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from chassis.errors import ERRORS_BY_CODE, InternalError, InterviewError

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that holds the status, as gRPC's richer error model has it."""
REASON_KEY = "error-reason"
"""The reason once more in plain text, for callers without the richer error model."""
ERROR_DOMAIN = "interview.v1"
NANOS_PER_S = 1_000_000_000

MAX_MESSAGE_BYTES = 1_200
"""Of a message as it travels: percent-encoded, three bytes for each byte that is not ASCII."""
MAX_FIELD_NAME_BYTES = 120
MAX_FIELD_TEXT_BYTES = 400
MAX_STATUS_BYTES = 2_700
"""Of the packed status, which travels in base64 and so takes a third more. All trailing metadata together
stays under 5 KiB. From 8 KiB on gRPC may drop it, and the client sees RESOURCE_EXHAUSTED instead."""
MORE_FIELD = "…"
"""Stands for the fields that had no room."""
RESERVED_BYTES = 120
"""For the entry that stands for the rest, and for what wraps the list."""
ELLIPSIS = "…"

MESSAGE_BY_CODE = {
    "UNAVAILABLE": "The stage can't be reached right now. Try again later.",
    "DEADLINE_EXCEEDED": "The call took longer than it was given. Give it more time.",
    "CANCELLED": "The call was cancelled.",
    "RESOURCE_EXHAUSTED": "The message is larger than the server takes. Send less at once.",
    "UNIMPLEMENTED": "The server does not know this call. Update the older of the two.",
}
"""What a reader is told where the failure is gRPC's own: its text names addresses of ours."""


def status_code(error: InterviewError) -> grpc.StatusCode:
    """Return the gRPC status code of an error."""
    return grpc.StatusCode[error.code]


def to_trailing_metadata(error: InterviewError) -> tuple[tuple[str, str | bytes], ...]:
    """Pack an error's reason, fields and retry delay for the wire."""
    status = Status(code=status_code(error).value[0], message=message_on_the_wire(error))
    _add(status, ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN))
    if error.retry_after_s is not None:
        seconds, nanos = divmod(round(error.retry_after_s * NANOS_PER_S), NANOS_PER_S)
        _add(status, RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos)))
    if error.fields:
        _add(status, _violations(error.fields, MAX_STATUS_BYTES - status.ByteSize()))
    return ((DETAILS_KEY, status.SerializeToString()), (REASON_KEY, error.reason))


def message_on_the_wire(error: InterviewError) -> str:
    """Return an error's message, cut to what the metadata has room for."""
    return _cut(error.message, MAX_MESSAGE_BYTES)


def _add(status: Status, detail: Message) -> None:
    wrapped = Any()
    wrapped.Pack(detail)
    status.details.append(wrapped)


def _violations(fields: Mapping[str, str], max_bytes: int) -> BadRequest:
    """Return as many wrong fields as there is room for. The last entry says how many more there are."""
    found = BadRequest()
    for number, (name, text) in enumerate(fields.items()):
        violation = BadRequest.FieldViolation(
            field=_cut(name, MAX_FIELD_NAME_BYTES), description=_cut(text, MAX_FIELD_TEXT_BYTES)
        )
        found.field_violations.append(violation)
        if found.ByteSize() > max_bytes - RESERVED_BYTES:
            del found.field_violations[-1]
            more = f"and {len(fields) - number:,} more"
            found.field_violations.append(BadRequest.FieldViolation(field=MORE_FIELD, description=more))
            break
    return found


def _cut(text: str, max_bytes: int) -> str:
    """Return a text that takes at most `max_bytes` percent-encoded. What can't be encoded becomes `?`."""
    text = text.encode("utf-8", "replace").decode()
    if _encoded_bytes(text) <= max_bytes:
        return text
    kept, left_bytes = 0, max_bytes - _encoded_bytes(ELLIPSIS)
    for character in text:
        left_bytes -= _encoded_bytes(character)
        if left_bytes < 0:
            break
        kept += 1
    return text[:kept].rstrip() + ELLIPSIS


def _encoded_bytes(text: str) -> int:
    """Return the length of a text as gRPC writes it into `grpc-message`."""
    plain_count = sum(1 for character in text if " " <= character <= "~" and character != "%")
    return 3 * len(text.encode()) - 2 * plain_count


def from_rpc_error(failure: grpc.aio.AioRpcError) -> InterviewError:
    """Turn a failed call back into the error that the server raised."""
    code = failure.code().name
    error_class = ERRORS_BY_CODE.get(code, InternalError)
    reason = code if code in MESSAGE_BY_CODE else "INTERNAL"
    message = MESSAGE_BY_CODE.get(code, "Something went wrong on the server's side. Its log has it.")
    fields: dict[str, str] = {}
    retry_after_s = None
    for key, value in failure.trailing_metadata() or ():
        if key != DETAILS_KEY:
            continue
        try:
            status = Status.FromString(value)
        except DecodeError:  # Another server's; the code still tells what kind of failure it is.
            continue
        message = status.message
        for detail in status.details:
            info, retry, bad_request = ErrorInfo(), RetryInfo(), BadRequest()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(retry):
                retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / NANOS_PER_S
            elif detail.Unpack(bad_request):
                fields = {
                    violation.field: violation.description for violation in bad_request.field_violations
                }
    if code == "UNIMPLEMENTED":
        error_class = ERRORS_BY_CODE["UNAVAILABLE"]
        reason = "UNAVAILABLE"
    return error_class(message, reason=reason, fields=fields, retry_after_s=retry_after_s)
