"""Reads objects. A body that breaks in the middle goes on where it stopped.

Two versions of an object never mix.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import obstore

from chassis.errors import UnavailableError
from chassis.store.failures import changed, store_errors, unavailable
from chassis.store.opening import OpenedStore
from chassis.store.writing import pause_s

if TYPE_CHECKING:
    from obstore import GetOptions

BLOCK_BYTES = 1 << 20


@dataclass
class _Position:
    """How far the reading of one object has come."""

    start: int
    end: int | None
    """None: not known yet. The whole object is asked for."""
    e_tag: str | None = None
    """Of the version that the first bytes came from."""


class Reader:
    """Reads from one store.

    Args:
        opened: The store.
    """

    def __init__(self, opened: OpenedStore) -> None:
        self._opened = opened
        self._settings = opened.settings

    async def whole(self, key: str) -> bytes:
        """Read an object whole. For those that fit into memory."""
        position = _Position(0, None)
        async with aclosing(self._resumed(key, position)) as blocks:
            return b"".join([block async for block in blocks])

    async def blocks(
        self, key: str, start: int, end: int, e_tag: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` up to `end` (exclusive) in blocks.

        Each request asks for a bounded range, so that its time limit can be one for a bounded transfer.

        Args:
            key: The object.
            start: First byte.
            end: Byte after the last one.
            e_tag: The version that is meant. None: the one that is there at the first request.
        """
        step_bytes = self._settings.part_bytes
        while start < end:
            position = _Position(start, min(start + step_bytes, end), e_tag)
            async with aclosing(self._resumed(key, position)) as blocks:
                async for block in blocks:
                    yield block
            start, e_tag = position.start, position.e_tag

    async def _resumed(self, key: str, position: _Position) -> AsyncGenerator[bytes, None]:
        """Yield what is left of a range, over as many requests as it takes. Failures in a row are limited."""
        failed_count, moved_at_s = 0, time.monotonic()
        while position.end is None or position.start < position.end:
            begun_at = position.start
            try:
                async with aclosing(self._attempt(key, position)) as blocks:
                    async for block in blocks:
                        yield block
            except UnavailableError as error:
                if position.start - begun_at >= BLOCK_BYTES:
                    failed_count, moved_at_s = 0, time.monotonic()
                failed_count += 1
                stands_s = time.monotonic() - moved_at_s
                if (
                    error.reason != "STORE_UNAVAILABLE"
                    or failed_count > self._settings.retry_count
                    or stands_s > self._settings.transfer_timeout_s
                ):
                    raise
                await asyncio.sleep(pause_s(failed_count - 1))

    async def _attempt(self, key: str, position: _Position) -> AsyncGenerator[bytes, None]:
        options: GetOptions = {}
        if position.end is not None:
            options["range"] = (position.start, position.end)
        if position.e_tag is not None:
            options["if_match"] = position.e_tag
        with store_errors():
            reply = await obstore.get_async(self._opened.reads, key, options=options or None)
        self._check_version(position, reply.meta["e_tag"])
        if position.end is None:
            position.end = int(reply.meta["size"])
        stream = reply.stream(min_chunk_size=BLOCK_BYTES)
        while True:
            with store_errors():
                block = await anext(stream, None)
            if block is None:
                break
            position.start += len(block)
            yield block
        if position.start < position.end:
            raise unavailable()

    @staticmethod
    def _check_version(position: _Position, e_tag: str | None) -> None:
        # Some servers ignore the condition, so the answer is looked at as well.
        if position.e_tag is not None and e_tag != position.e_tag:
            raise changed()
        position.e_tag = e_tag
