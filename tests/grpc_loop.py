"""The event loop of the tests.

gRPC for asyncio has one poller for all loops of a process. A call that a test left behind may end after
its loop was closed. The poller then runs in the loop of a later test, which has nothing to do with it, and
fails there with "Event loop is closed". A process has one loop, so it never meets this.
"""

from __future__ import annotations

import asyncio
from typing import Any


class LoopOfTests(asyncio.SelectorEventLoop):
    """A loop that passes over what gRPC's poller says of loops that were closed before."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not _is_of_another_loop(context):
            super().call_exception_handler(context)


def _is_of_another_loop(context: dict[str, Any]) -> bool:
    error = context.get("exception")
    closed = isinstance(error, RuntimeError) and str(error) == "Event loop is closed"
    return closed and "PollerCompletionQueue" in context.get("message", "")
