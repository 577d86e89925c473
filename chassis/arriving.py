"""A recording that is worked on while it still arrives, and what may go wrong with either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from chassis.growing import GrowingFile
from chassis.spooling import DISCARD_TIMEOUT_S, Spooling, SpoolLimits

T = TypeVar("T")
_END: Any = object()


class Arriving:
    """A recording that may still grow.

    Args:
        path: Where it lies.
        spooling: What takes its bytes. None: it is whole.
    """

    def __init__(self, path: Path, spooling: asyncio.Task[None] | None = None) -> None:
        self.path = path
        self._spooling = spooling
        self._step: asyncio.Future[Any] | None = None

    async def events(self, events: AsyncGenerator[T, None]) -> AsyncIterator[T]:
        """Yield what the work on the recording yields. What is wrong with its arrival ends the work.

        Raises:
            InterviewError: Whatever the work raises, or what is wrong with the arrival, as soon as it shows.
        """
        try:
            while (event := await self._next(events)) is not _END:
                yield event
        finally:
            if self._step is None or self._step.done():  # else it ends by itself: it was told to
                await events.aclose()

    async def _next(self, events: AsyncGenerator[T, None]) -> Any:
        step = self._step = asyncio.ensure_future(anext(events, _END))
        try:
            if self._spooling is not None and not self._spooling.done():
                await asyncio.wait({step, self._spooling}, return_when=asyncio.FIRST_COMPLETED)
            if self._spooling is not None and self._spooling.done():
                self._spooling.result()
            return await asyncio.shield(step)
        finally:
            if not step.done():  # nobody waits for it: the work is told to stop, and waited for
                step.cancel()
                await asyncio.wait({step})
            step.add_done_callback(_look_at)


def _look_at(step: asyncio.Future[Any]) -> None:
    """Keep asyncio from complaining: another error is told, or the same one was raised already."""
    if not step.cancelled():
        step.exception()


@asynccontextmanager
async def arriving(
    requests: AsyncIterator[Any],
    path: Path,
    limits: SpoolLimits,
    refusals: tuple[type[Exception], ...],
    discarded: Callable[[], None],
) -> AsyncIterator[Arriving]:
    """Take a recording's chunks while the block works on it. The block begins with the first chunk.

    Args:
        requests: The messages behind the opening one.
        path: Where the recording goes. It is marked as growing until it is whole.
        limits: What may come.
        refusals: What a client may be told while it is still writing. The rest is read and thrown away then.
        discarded: Called where that was done here.

    Raises:
        InterviewError: As `Spooling.run` does, also before the block.
    """
    file = GrowingFile(path)
    spooling = Spooling(requests, file, limits)
    task = asyncio.ensure_future(spooling.run())
    begun = asyncio.ensure_future(spooling.begun.wait())
    try:
        await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield Arriving(path, task)
    except refusals:
        if not task.done():
            spooling.discard()
            await asyncio.wait({task}, timeout=2 * DISCARD_TIMEOUT_S)
            discarded()
        raise
    finally:
        begun.cancel()
        task.cancel()
        await asyncio.wait({task, begun})
        if not task.cancelled():
            task.exception()  # it was told, or nobody is there to be told
        file.close()
