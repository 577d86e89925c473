"""What the command ends with: exit codes that scripts can use, and failures in one sentence."""

from __future__ import annotations

from enum import IntEnum

from chassis.errors import (
    ExhaustedError,
    InterviewError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)


class ExitCode(IntEnum):
    """How the command ended."""

    OK = 0
    FAILED = 1
    """The session failed or was cancelled, or the command itself could not do its work."""
    USAGE = 2
    """The command line is wrong."""
    UNREACHABLE = 3
    """The gateway does not answer, or can't take work now."""
    NOT_FOUND = 4
    """No such session, or its result has expired."""
    REJECTED = 5
    """The gateway refuses what was sent or asked."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CommandError(Exception):
    """The command can't go on.

    Args:
        message: One sentence for people that says what to do.
        code: UPPER_SNAKE reason, for programs.
        exit_code: What the process ends with.
        session_id: The session that it is about. Empty without one.
    """

    def __init__(
        self, message: str, *, code: str, exit_code: ExitCode = ExitCode.FAILED, session_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.exit_code = exit_code
        self.session_id = session_id

    def to_json(self) -> dict[str, object]:
        """Return what programs read: the fields of the gateway's failures, and the exit code."""
        about = {"session_id": self.session_id} if self.session_id else {}
        told = {"success": False, "code": self.code, "message": self.message}
        return told | about | {"exit_code": int(self.exit_code)}


_EXIT_BY_ERROR: tuple[tuple[type[InterviewError], ExitCode], ...] = (
    (InvalidInputError, ExitCode.USAGE),
    (NotFoundError, ExitCode.NOT_FOUND),
    (UnavailableError, ExitCode.UNREACHABLE),
    (ExhaustedError, ExitCode.UNREACHABLE),
    (PreconditionError, ExitCode.FAILED),
)


def from_interview_error(error: InterviewError) -> CommandError:
    """Return an error of the chassis as one of the command."""
    exit_code = next((code for cls, code in _EXIT_BY_ERROR if isinstance(error, cls)), ExitCode.FAILED)
    return CommandError(error.message, code=error.reason, exit_code=exit_code)
