"""Errors on the wire: `chassis.errors` ⇄ `google.rpc.Status` with its details."""

from __future__ import annotations

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from chassis.errors import ERRORS_BY_CODE, InternalError, InterviewError

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that holds the status, as gRPC's richer error model has it."""
REASON_KEY = "error-reason"
"""The reason once more in plain text, for callers without the richer error model."""
ERROR_DOMAIN = "interview.v1"
NANOS_PER_S = 1_000_000_000

_MESSAGE_BY_CODE = {
    "UNAVAILABLE": "The stage can't be reached right now; try again later.",
    "DEADLINE_EXCEEDED": "The call took longer than it was given.",
    "CANCELLED": "The call was cancelled.",
    "RESOURCE_EXHAUSTED": "The message is larger than the server takes.",
    "UNIMPLEMENTED": "The server does not know this call; it may be of another version.",
}
"""What a reader is told where the failure is gRPC's own: its text names addresses of ours."""


def status_code(error: InterviewError) -> grpc.StatusCode:
    """Return the gRPC status code of an error."""
    return grpc.StatusCode[error.code]


def to_trailing_metadata(error: InterviewError) -> tuple[tuple[str, str | bytes], ...]:
    """Pack an error's reason, fields and retry delay for the wire."""
    details = [ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN)]
    packed = []
    if error.retry_after_s is not None:
        seconds, nanos = divmod(round(error.retry_after_s * NANOS_PER_S), NANOS_PER_S)
        details.append(RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos)))
    if error.fields:
        violations = [
            BadRequest.FieldViolation(field=name, description=text) for name, text in error.fields.items()
        ]
        details.append(BadRequest(field_violations=violations))
    for detail in details:
        wrapped = Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    status = Status(code=status_code(error).value[0], message=error.message, details=packed)
    return ((DETAILS_KEY, status.SerializeToString()), (REASON_KEY, error.reason))


def from_rpc_error(failure: grpc.aio.AioRpcError) -> InterviewError:
    """Turn a failed call back into the error that the server raised."""
    code = failure.code().name
    error_class = ERRORS_BY_CODE.get(code, InternalError)
    reason = code if code in _MESSAGE_BY_CODE else "INTERNAL"
    message = _MESSAGE_BY_CODE.get(code, "Something went wrong on the server's side.")
    fields: dict[str, str] = {}
    retry_after_s = None
    for key, value in failure.trailing_metadata() or ():
        if key != DETAILS_KEY:
            continue
        status = Status.FromString(value)
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
