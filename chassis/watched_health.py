"""The health of a process, which lets its watchers go when the process ends.

The library tells them NOT_SERVING and leaves their streams open, and a server waits for an open stream as for
work: one watcher made each idle process take its whole drain time to end.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, cast

import grpc
from grpc_health.v1 import health, health_pb2


class WatchedHealth(health.aio.HealthServicer):
    """The library's health servicer, whose watches end with the drain."""

    def __init__(self) -> None:
        super().__init__()
        self._draining = asyncio.Event()

    async def enter_graceful_shutdown(self) -> None:
        """Tell everybody NOT_SERVING from now on, and end the watches."""
        await super().enter_graceful_shutdown()
        self._draining.set()

    async def Watch(  # noqa: N802 - the contract's name
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Tell a service's state, and each change of it, until the process drains."""
        writes = _OneWriteAtATime(context)
        watching = asyncio.ensure_future(super().Watch(request, cast("Any", writes)))
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait({watching, draining}, return_when=asyncio.FIRST_COMPLETED)
            async with writes.lock:
                watching.cancel()
        finally:
            draining.cancel()
            watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        # Once more at worst: the watch may have been cancelled before it saw the change.
        await context.write(health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.NOT_SERVING))


class _OneWriteAtATime:
    """A call's context, of which the health servicer uses `write`.

    A write that is cut off stays begun in the core of gRPC, which then refuses the next one. So who ends the
    watch takes the lock first.
    """

    def __init__(self, context: grpc.aio.ServicerContext) -> None:
        self._context = context
        self.lock = asyncio.Lock()

    async def write(self, reply: health_pb2.HealthCheckResponse) -> None:
        """Send a reply."""
        async with self.lock:
            await self._context.write(reply)
