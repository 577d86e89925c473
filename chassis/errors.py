"""The failure vocabulary of all processes. Standard library only, so that engines may raise it.

    InterviewError                  code                 retried by clients
    ├── InvalidInputError           INVALID_ARGUMENT     no
    ├── NotFoundError               NOT_FOUND            no
    ├── PreconditionError           FAILED_PRECONDITION  no
    ├── ForbiddenError             PERMISSION_DENIED    no
    ├── ExhaustedError              RESOURCE_EXHAUSTED   yes, after `retry_after_s`, unless it is None
    ├── UnavailableError            UNAVAILABLE          yes
    ├── DeadlineError               DEADLINE_EXCEEDED    no
    ├── CancelledCallError          CANCELLED            no
    └── InternalError               INTERNAL             no

`docs/errors.md` lists every reason. A test keeps the list complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

MAX_LIST_CHARACTERS = 400
"""Of a list inside a message: what a reader takes in, and what a status on the wire has room for."""


def listed(items: Sequence[str], *, separator: str = ", ", max_characters: int = MAX_LIST_CHARACTERS) -> str:
    """Return a list for a message, cut to what fits: `a, b, … and 130 more`.

    Args:
        items: What is listed. The first one is always shown.
        separator: Between two items.
        max_characters: Room for the items that are shown.
    """
    shown_count, length = 0, 0
    for item in items:
        length += len(item) + len(separator)
        if shown_count and length - len(separator) > max_characters:
            break
        shown_count += 1
    left_count = len(items) - shown_count
    more = [f"… and {left_count:,} more"] if left_count else []
    return separator.join([*items[:shown_count], *more])


class InterviewError(Exception):
    """Something that a caller is told about: a status code, a reason and one helpful sentence.

    Args:
        message: One sentence for people that says what to do. No transcript, name, key or path.
        reason: UPPER_SNAKE reason from `docs/errors.md`, for programs.
        fields: Which request fields are wrong, by name, with what is wrong about each.
        retry_after_s: Seconds after which another attempt makes sense. None where none does.
    """

    code: ClassVar[str] = "INTERNAL"
    """Name of the `grpc.StatusCode`."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        fields: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.fields = dict(fields or {})
        self.retry_after_s = retry_after_s


class InvalidInputError(InterviewError):
    """The request itself is wrong. Sending it again will not help."""

    code = "INVALID_ARGUMENT"


class NotFoundError(InterviewError):
    """What was asked for does not exist."""

    code = "NOT_FOUND"


class PreconditionError(InterviewError):
    """The request is right, but the system is not set up or not yet in the state for it."""

    code = "FAILED_PRECONDITION"


class ForbiddenError(InterviewError):
    """The caller may not do this."""

    code = "PERMISSION_DENIED"


class ExhaustedError(InterviewError):
    """A quota or a queue is full."""

    code = "RESOURCE_EXHAUSTED"


class UnavailableError(InterviewError):
    """Something that is needed can't be reached right now."""

    code = "UNAVAILABLE"


class DeadlineError(InterviewError):
    """The time that the caller gave is over."""

    code = "DEADLINE_EXCEEDED"


class CancelledCallError(InterviewError):
    """The caller gave up, or the work was stopped on request."""

    code = "CANCELLED"


class InternalError(InterviewError):
    """A bug. Its details stay in the log."""

    code = "INTERNAL"


ERRORS_BY_CODE: Mapping[str, type[InterviewError]] = {
    cls.code: cls
    for cls in (
        InvalidInputError,
        NotFoundError,
        PreconditionError,
        ForbiddenError,
        ExhaustedError,
        UnavailableError,
        DeadlineError,
        CancelledCallError,
        InternalError,
    )
}
"""The class for each status code, to turn a reply's status back into an error."""
