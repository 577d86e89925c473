"""What is said on a call that may be over already.

A call's deadline passes, its caller gives up, or the server stops, at any moment. gRPC then raises errors of
its own where something is still said, and would log them as faults. They are none: nobody listens any more.
"""

from __future__ import annotations

import asyncio

import grpc

from chassis.errors import CancelledCallError, DeadlineError, InterviewError
from chassis.status import message_on_the_wire, status_code, to_trailing_metadata

TELLING_S = 5.0
"""How long the beginning of an answer may still be on its way out after its call is over."""


async def say_begun(context: grpc.aio.ServicerContext, metadata: tuple[tuple[str, str], ...]) -> None:
    """Send what goes out before the work.

    Whoever is cancelled here goes on once this is out, since gRPC can't send a status meanwhile.

    Raises:
        DeadlineError, CancelledCallError: The call is over.
    """
    telling = asyncio.ensure_future(context.send_initial_metadata(metadata))
    # A task whose error nobody asks for would be logged as a fault.
    telling.add_done_callback(lambda told: told.cancelled() or told.exception())
    try:
        await asyncio.shield(telling)
    except grpc.aio.BaseError:
        raise why_over(context) from None
    except asyncio.CancelledError:
        await asyncio.wait({telling}, timeout=TELLING_S)
        telling.cancel()
        raise


async def refuse(context: grpc.aio.ServicerContext, error: InterviewError) -> None:
    """End a call with an error.

    Raises:
        AbortError: Always where gRPC takes the status. It wants to see this error again.
        CancelledError: The call is over already. gRPC passes over this one without a word.
    """
    try:
        await context.abort(status_code(error), message_on_the_wire(error), to_trailing_metadata(error))
    except grpc.aio.AbortError:
        raise
    except grpc.aio.BaseError:
        raise asyncio.CancelledError from None


def why_over(context: grpc.aio.ServicerContext) -> InterviewError:
    """Return what ended a call from outside: its deadline, or else its caller."""
    remaining_s = context.time_remaining()
    if remaining_s is not None and remaining_s <= 0:
        return time_is_over()
    return CancelledCallError("The caller gave up.", reason="CANCELLED")


def time_is_over() -> DeadlineError:
    """Return the error of a call that took longer than it was given."""
    return DeadlineError(
        "The call took longer than it was given. Give it more time.", reason="DEADLINE_EXCEEDED"
    )
