"""Blocking work beside an event loop: a bounded pool of threads and a bounded waiting room.

A full waiting room refuses at once. A cancelled caller sets the work's stop event, and its place is
free again only when the thread has really ended.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from chassis.errors import CancelledCallError, ExhaustedError
from chassis.stopped_work import OF_THIS_PROCESS, StoppedWork
from chassis.telemetry import QUEUE_DEPTH, WORKERS_BUSY

T = TypeVar("T")

HANDOVER_COUNT = 64
"""Events between a thread and its reader. A slow reader slows the thread instead of filling memory."""
STOP_POLL_S = 0.2
"""How long a thread with a full hand-over waits before it looks at its stop event."""
STOP_GRACE_S = 5.0
"""How long a cancelled call waits for its thread, so that its files outlive the thread's last read."""
RETRY_AFTER_S = 2.0
"""What a refused caller is told to wait. Stages take seconds to minutes."""


class Workers:
    """Runs blocking work in threads, so many at once, so many waiting.

    Args:
        worker_count: Pieces of work at once.
        waiting_count: Pieces of work that may wait. One more raises `ExhaustedError` (`QUEUE_FULL`).
        stopped: Is told of work whose caller is gone, until that work ends.
    """

    def __init__(
        self, worker_count: int, waiting_count: int, *, stopped: StoppedWork = OF_THIS_PROCESS
    ) -> None:
        self._executor = ThreadPoolExecutor(worker_count, thread_name_prefix="worker")
        self._worker_count = worker_count
        self._capacity = worker_count + waiting_count
        self._admitted = 0
        self._stopped = stopped

    @property
    def worker_count(self) -> int:
        """Pieces of work at once."""
        return self._worker_count

    async def run(self, work: Callable[[threading.Event], T]) -> T:
        """Call `work(stop)` in a thread.

        Raises:
            ExhaustedError: The waiting room is full (`QUEUE_FULL`).
        """
        stop = threading.Event()
        submitted = self._submit(lambda: work(stop))
        future = _looked_at(asyncio.wrap_future(submitted))
        try:
            return await asyncio.shield(future)
        finally:
            await self._let_end(stop, submitted, future)

    async def stream(self, work: Callable[[threading.Event], Iterator[T]]) -> AsyncGenerator[T, None]:
        """Iterate `work(stop)` in a thread and yield what it yields.

        Raises:
            ExhaustedError: The waiting room is full (`QUEUE_FULL`).
        """
        loop = asyncio.get_running_loop()
        stop = threading.Event()
        queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue(HANDOVER_COUNT)

        def hand_over(item: tuple[T] | None) -> None:
            handed = asyncio.run_coroutine_threadsafe(queue.put(item), loop)
            while True:
                try:
                    handed.result(STOP_POLL_S)
                except concurrent.futures.TimeoutError:
                    if stop.is_set():
                        handed.cancel()
                        raise CancelledCallError("The caller gave up.", reason="CANCELLED") from None
                else:
                    return

        def produce() -> None:
            try:
                for item in work(stop):
                    hand_over((item,))
            finally:
                if not stop.is_set():
                    hand_over(None)

        submitted = self._submit(produce)
        future = _looked_at(asyncio.wrap_future(submitted))
        try:
            while (item := await _next(queue, future)) is not None:
                yield item[0]
            await asyncio.shield(future)
        finally:
            await self._let_end(stop, submitted, future)

    def close(self) -> None:
        """Take no more work. Running work goes on to its end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        if self._admitted >= self._capacity:
            raise ExhaustedError(
                "The service is busy and its queue is full. Try again in a moment.",
                reason="QUEUE_FULL",
                retry_after_s=RETRY_AFTER_S,
            )
        loop = asyncio.get_running_loop()
        self._admitted += 1
        self._measure()
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, work)
        future.add_done_callback(lambda _: _call_soon(loop, self._release))
        return future

    async def _let_end(
        self, stop: threading.Event, submitted: concurrent.futures.Future[T], future: asyncio.Future[T]
    ) -> None:
        stop.set()
        if submitted.done() or submitted.cancel():  # work that has not begun gives its place back at once
            return
        self._stopped.note(submitted)
        await asyncio.wait({future}, timeout=STOP_GRACE_S)

    def _release(self) -> None:
        self._admitted -= 1
        self._measure()

    def _measure(self) -> None:
        WORKERS_BUSY.set(min(self._admitted, self._worker_count))
        QUEUE_DEPTH.set(max(0, self._admitted - self._worker_count))


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


async def _next(queue: asyncio.Queue[tuple[T] | None], future: asyncio.Future[None]) -> tuple[T] | None:
    """Take the next event, or None when the thread ended without handing over its end."""
    getter = asyncio.ensure_future(queue.get())
    try:
        pending: set[asyncio.Future[Any]] = {getter, future}
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if getter.done():
            return getter.result()
        return queue.get_nowait() if not queue.empty() else None
    finally:
        getter.cancel()


def _looked_at(future: asyncio.Future[T]) -> asyncio.Future[T]:
    """Keep asyncio from complaining about the error of a thread whose caller is gone."""
    future.add_done_callback(_look_at)
    return future


def _look_at(future: asyncio.Future[T]) -> None:
    if not future.cancelled():
        future.exception()
