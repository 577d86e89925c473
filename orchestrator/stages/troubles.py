"""What can go wrong with a call to a stage, told apart by what it means for the input.

StageAwayError      nothing was done: no attempt. The stage can't be reached, or does not serve
QUEUE_FULL          nothing was done: no attempt. The stage's own words for it
WORK_FOLDER_FULL, STORE_UNAVAILABLE, STORE_FULL
                    no attempt. It is the operator's disk or store, and not the input
StageStoppedError   an attempt. The stage was stopped in good order while it worked on this
StageDiedError      an attempt. The connection broke while it worked on this, which may be why
StageHungError      an attempt. It stopped getting on with this
all else            an attempt. The stage's own answer
"""

from __future__ import annotations

import grpc

from chassis.client import was_dropped
from chassis.errors import ExhaustedError, InterviewError, UnavailableError
from chassis.interceptors import BEGUN_KEY
from chassis.status import DETAILS_KEY, REASON_KEY

STOPPED_DETAILS = "Cancelling all calls"
"""gRPC's own words to calls that a stopping server leaves unfinished. Without them it counts as a death."""


class StageAwayError(UnavailableError):
    """The stage can't be reached or does not serve. It has done nothing."""

    def __init__(self) -> None:
        super().__init__("The stage can't be reached right now.", reason="STAGE_AWAY")


class StageStoppedError(UnavailableError):
    """The stage was stopped in good order before it was done."""

    def __init__(self) -> None:
        super().__init__(
            "The stage was stopped before it was done. Retry the session.", reason="STAGE_STOPPED"
        )


class StageDiedError(UnavailableError):
    """The connection broke while the stage worked on this input."""

    def __init__(self) -> None:
        super().__init__(
            "The stage died before it was done. Look at its log, then retry the session.",
            reason="STAGE_DIED",
        )


class StageHungError(UnavailableError):
    """The stage is there and stopped getting on."""

    def __init__(self) -> None:
        super().__init__(
            "The stage did not get on with this recording any more. Restart it, then retry the session.",
            reason="STAGE_HUNG",
        )


STORE_AWAY_REASONS = ("STORE_UNAVAILABLE", "STORE_FULL")
"""Of a media store that passes nothing at the moment, whoever says so."""
DISK_FULL_REASON = "WORK_FOLDER_FULL"
"""Of a disk for work without room."""


def is_away(error: InterviewError) -> bool:
    """Tell whether nobody's input gets on now: the stage, the media store or a disk is away or full."""
    if isinstance(error, UnavailableError):
        return isinstance(error, StageAwayError) or error.reason in (*STORE_AWAY_REASONS, DISK_FULL_REASON)
    return isinstance(error, ExhaustedError) and error.reason == "QUEUE_FULL"


def trouble_of(error: InterviewError, *, answered: bool) -> InterviewError:
    """Return what an error of a call means.

    Args:
        error: As `chassis.client` raised it.
        answered: Whether a message of the stage had arrived.
    """
    failure = error.__cause__
    if not isinstance(failure, grpc.aio.AioRpcError):
        return error
    if was_dropped(failure) and not answered:
        return StageAwayError()
    if failure.code() is not grpc.StatusCode.UNAVAILABLE:
        return error
    if any(key in (DETAILS_KEY, REASON_KEY) for key, _ in failure.trailing_metadata() or ()):
        return error
    begun = any(key == BEGUN_KEY for key, _ in failure.initial_metadata() or ())
    if not (begun or answered):
        return StageAwayError()
    return StageStoppedError() if failure.details() == STOPPED_DETAILS else StageDiedError()
