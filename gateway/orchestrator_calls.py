"""Calls to the orchestrator: who they are made for, and what is told when they do not get through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from chassis.acting import CALLER_KEY, encode_caller
from chassis.caller_groups import GROUP_KEY, encode_groups
from chassis.client import Metadata, RetryPolicy, unary
from chassis.errors import DeadlineError, UnavailableError
from gateway.callers import current_client

T = TypeVar("T")

RETRY_AFTER_S = 30.0
"""What clients are told to wait where the orchestrator is away: about a restart."""
READING = "Ask again in half a minute."
SUBMITTING = "It is not certain that the session was accepted. Ask for it in half a minute."
CHANGING = "It is not certain that the change was made. Look at the session's status before you try again."
"""What to do where a call did not get through, by what the call was for."""


async def call(
    method: Callable[..., Awaitable[T]],
    request: Any,
    timeout_s: float,
    *,
    advice: str = READING,
    metadata: Metadata = (),
    retry: RetryPolicy | None = None,
) -> T:
    """Call a method and return its reply.

    Args:
        method: Of a stub.
        request: Its message.
        timeout_s: Time for the call with its retries.
        advice: What to do where it did not get through.
        metadata: Of the call.
        retry: How it is tried again. None: as usual.

    Raises:
        InterviewError: What the orchestrator answered, or that it can't be reached.
    """
    try:
        return await unary(
            method, request, timeout_s=timeout_s, retry=retry or RetryPolicy(), metadata=metadata
        )
    except UnavailableError as error:
        raise away(error, advice) from error
    except DeadlineError as error:
        message = f"The assessment service did not answer in time. {advice}"
        raise DeadlineError(message, reason=error.reason) from error


def metadata_of_caller() -> Metadata:
    """Return who the call is made for, and whose sessions it may see."""
    client = current_client.get()
    caller = (CALLER_KEY, encode_caller(client.who, client.group))
    return (caller,) if client.groups is None else (caller, (GROUP_KEY, encode_groups(client.groups)))


def away(error: UnavailableError | None, advice: str = READING) -> UnavailableError:
    """Return the error of an orchestrator that can't be reached."""
    if error is not None and error.reason not in ("UNAVAILABLE", "SHUTTING_DOWN"):
        return error  # something behind the orchestrator, named by it
    return UnavailableError(
        f"The assessment service can't be reached right now. {advice}",
        reason="ORCHESTRATOR_UNAVAILABLE",
        retry_after_s=RETRY_AFTER_S,
    )
