"""Removes objects, many with one request where the server can."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import anyio.to_thread
import obstore
import obstore.exceptions

from chassis.errors import NotFoundError
from chassis.store.failures import store_errors
from chassis.store.opening import OpenedStore
from chassis.store.parts import find_parts, remove_parts
from chassis.store.settling import settle
from chassis.store.writing import Settle

BATCH_COUNT = 1_000
"""S3's limit for one deletion of many objects."""


class Remover:
    """Removes from one store.

    Args:
        opened: The store.
        settle: Writes what changed in a folder store through to the disk.
    """

    def __init__(self, opened: OpenedStore, settle: Settle = settle) -> None:
        self._opened = opened
        self._settle = settle
        self._takes_batches = opened.local_root is None

    async def remove(self, key: str) -> None:
        """Remove an object. Nothing happens where there is none."""
        await self._remove(key)
        await self._made_durable([key])

    async def _remove(self, key: str) -> None:
        try:
            with store_errors():
                await obstore.delete_async(self._opened.objects, key)
        except NotFoundError:
            return

    async def _made_durable(self, keys: Sequence[str]) -> None:
        """Return once a power cut can't bring back what was removed."""
        if (root := self._opened.local_root) is not None and keys:
            with store_errors():
                await anyio.to_thread.run_sync(self._settle, root, [root / key for key in keys])

    async def remove_all(self, keys: Sequence[str]) -> None:
        """Remove objects. Those that are gone already don't matter."""
        for first in range(0, len(keys), BATCH_COUNT):
            batch = list(keys[first : first + BATCH_COUNT])
            if not (self._takes_batches and await self._remove_batch(batch)):
                for key in batch:
                    await self._remove(key)
                await self._made_durable(batch)

    async def _remove_batch(self, keys: list[str]) -> bool:
        """Tell whether the server removes many objects with one request, and if so, have them removed."""
        with store_errors():
            try:
                await obstore.delete_async(self._opened.batches, keys)
            except obstore.exceptions.BaseError as error:
                if "NotImplemented" not in str(error):
                    raise
                self._takes_batches = False
        return self._takes_batches

    async def remove_parts(self, prefix: str, older_than_s: float, settle_s: float) -> int:
        """Remove parts below a prefix of a folder that are old and don't change, and say how many."""
        if self._opened.local_root is None:
            return 0
        found = await anyio.to_thread.run_sync(find_parts, self._opened.local_root / prefix, older_than_s)
        if found:
            await asyncio.sleep(settle_s)
        return await anyio.to_thread.run_sync(remove_parts, found)
