"""Writes objects: large ones in parts, in bounded memory. What failed or was stopped leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Literal

import anyio.to_thread
import obstore
import obstore.exceptions

from chassis.errors import InterviewError, NotFoundError, PreconditionError, UnavailableError
from chassis.store.failures import store_errors, unavailable
from chassis.store.opening import FIRST_PAUSE_S, LONGEST_PAUSE_S, OpenedStore
from chassis.store.settling import settle

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 20
TOKEN = "put-token"  # noqa: S105 - names a piece of metadata
"""Metadata that tells whose write an object came from, where the answer to the write was lost."""


def pause_s(attempt: int) -> float:
    """Return the pause before an attempt (from 0): doubling, spread at random."""
    doubled_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
    return doubled_s * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


Settle = Callable[[Path, Iterable[Path]], None]
"""See `chassis.store.settling.settle`."""


class Writer:
    """Writes to one store.

    Args:
        opened: The store.
        settle: Writes files of a folder store through to the disk.
    """

    def __init__(self, opened: OpenedStore, settle: Settle = settle) -> None:
        self._opened = opened
        self._settings = opened.settings
        self._is_local = opened.local_root is not None
        self._settle = settle
        self._places = asyncio.Semaphore(opened.settings.put_count)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write bytes, over what there was."""
        if not self._is_local and len(data) > self._settings.part_bytes:
            await self.put_blocks(key, _one(data))
        else:
            await self._repeated(lambda: self._put(key, data, "overwrite"))

    async def put_once(self, key: str, data: bytes) -> bool:
        """Write bytes where there is no object yet.

        Returns:
            Whether the object holds this data now. False: it holds other data, which stays.
        """

        async def attempt() -> bool:
            # An attempt that seemed to fail may have written. The next one finds that.
            if await self._put(key, data, "create"):
                return True
            held = await self._holds(key, data)
            if held:
                await self._made_durable(key)
            return held

        return await self._repeated(attempt)

    async def _put(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> bool:
        try:
            with store_errors():
                await obstore.put_async(self._opened.writes, key, data, mode=mode, use_multipart=False)
        except PreconditionError:
            return False
        await self._made_durable(key)
        return True

    async def _made_durable(self, key: str) -> None:
        """Return once a power cut can't take the object back any more."""
        if (root := self._opened.local_root) is not None:
            with store_errors():
                await anyio.to_thread.run_sync(self._settle, root, (root / key,))

    async def _repeated(self, attempt: Callable[[], Awaitable[bool]]) -> bool:
        """Repeat what can be, beside the library's own repeats, unless those took their time already."""
        give_up_at_s = time.monotonic() + self._settings.request_timeout_s
        for count in range(self._settings.retry_count):
            try:
                return await attempt()
            except UnavailableError as error:
                if error.reason != "STORE_UNAVAILABLE" or time.monotonic() > give_up_at_s:
                    raise
                await asyncio.sleep(pause_s(count))
        return await attempt()

    async def _holds(self, key: str, data: bytes) -> bool:
        with store_errors():
            reply = await obstore.get_async(self._opened.reads, key)
            return bool(reply.meta["size"] == len(data)) and bytes(await reply.bytes_async()) == data

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file's bytes. See `put_blocks`."""
        async with contextlib.aclosing(
            _blocks_of(path)
        ) as blocks:  # A write that fails lets the file go, too.
            await self.put_blocks(key, blocks)

    async def put_blocks(self, key: str, blocks: AsyncIterator[bytes]) -> int:
        """Write blocks as they come. Cancelled or failed, it leaves neither an object nor a part.

        Returns:
            How many bytes it were.
        """
        token = uuid.uuid4().hex
        async with self._places:
            with store_errors():
                writer = obstore.open_writer_async(
                    self._opened.writes,
                    key,
                    buffer_size=self._settings.part_bytes,
                    max_concurrency=1,  # See `_abort`.
                    attributes=None if self._is_local else {TOKEN: token},
                )
            try:
                size_bytes = await self._feed(writer, blocks)
            except BaseException as error:
                await _to_its_end(self._abort(writer, error))
                raise
            await _to_its_end(self._close(writer, key, token))
            try:
                await self._made_durable(key)
            except InterviewError:
                with contextlib.suppress(InterviewError), store_errors():
                    await obstore.delete_async(self._opened.objects, key)
                raise
        return size_bytes

    async def _feed(self, writer: Any, blocks: AsyncIterator[bytes]) -> int:
        size_bytes = 0
        async for block in blocks:
            before_bytes, size_bytes = size_bytes, size_bytes + len(block)
            with store_errors():
                if before_bytes < self._settings.part_bytes <= size_bytes:
                    # This write begins the upload at the server. Stopped in the middle of it, nobody would
                    # know the upload's name, and nobody could abort it.
                    await _to_its_end(writer.write(block))
                else:
                    await writer.write(block)
        return size_bytes

    async def _abort(self, writer: Any, error: BaseException) -> None:
        """Abort an upload at the server, once no part of it is on its way.

        A part that arrives after the abort may be kept. With one at a time, an empty write waits for it.
        """
        with contextlib.suppress(TimeoutError, obstore.exceptions.BaseError, OSError):
            async with asyncio.timeout(self._settings.request_timeout_s):
                await writer.write(b"")
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                # An exception makes the library abort the upload.
                await writer.__aexit__(type(error), error, None)
        except (TimeoutError, obstore.exceptions.BaseError, OSError):
            logger.warning("An unfinished upload stays in the store, until its lifecycle rule removes it")

    async def _close(self, writer: Any, key: str, token: str) -> None:
        try:
            with store_errors():
                await writer.close()
        except InterviewError as error:
            # The answer to the last request may have been lost, and the repeat is told that there is no such
            # upload any more.
            if not self._is_local and await self._is_written_by(key, token):
                return
            raise unavailable() if isinstance(error, NotFoundError) else error from None

    async def _is_written_by(self, key: str, token: str) -> bool:
        try:
            with store_errors():
                reply = await obstore.get_async(self._opened.objects, key, options={"head": True})
                return bool(reply.attributes.get(TOKEN) == token)
        except NotFoundError:
            return False


async def _to_its_end(work: Awaitable[None]) -> None:
    """Wait for work to end, also when cancelled meanwhile. Then the cancellation goes on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            # A second cancellation does not hurry it either: each of its requests has its own limit.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # Seen. The cancellation is what the caller is told.
        raise


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _blocks_of(path: Path) -> AsyncGenerator[bytes, None]:
    async with opened_file(path) as source:
        while block := await anyio.to_thread.run_sync(source.read, BLOCK_BYTES):
            yield block


@contextlib.asynccontextmanager
async def opened_file(path: Path) -> AsyncGenerator[BinaryIO, None]:
    """Open a file for reading, in a thread. For who is cancelled meanwhile it is closed afterwards."""
    opening: asyncio.Future[BinaryIO] = asyncio.ensure_future(asyncio.to_thread(path.open, "rb"))
    try:
        source = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unused)
        raise
    with source:
        yield source


def _close_unused(opening: asyncio.Future[BinaryIO]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
