"""Counts how often a fetch was begun, so that one that brings this process down is not begun without end.

The count is kept in the store before each try, beside the stage's outputs, and removed when the try ends in
any way that the process lives through. So what is found there is a death. All fetches of that moment are
suspects then. From the second death on a suspect is fetched alone, so that the others are cleared.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from chassis.errors import ExhaustedError, NotFoundError, UnavailableError
from chassis.store import MediaStore

MAX_DEATH_COUNT = 5
"""Deaths of the process in the middle of one fetch, after which it is given up. Some have other causes."""


ALONE_FROM_DEATH_COUNT = 2


class FetchAttempts:
    """Keeps the counts of this process's fetches.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: MediaStore) -> None:
        self._store = store
        self._changed = asyncio.Condition()
        self._running_count = 0
        self.alone_count = 0
        """Fetches that are to run alone, and wait or do."""

    @asynccontextmanager
    async def counted(self, key: str) -> AsyncIterator[None]:
        """Count one try, from before it begins until it ends.

        Args:
            key: Where this fetch's count lies.

        Raises:
            ExhaustedError: The process died in it too often (`FETCH_ABANDONED`). The next one counts anew.
            UnavailableError: The store can't be reached (`STORE_UNAVAILABLE`).
        """
        death_count = await self._death_count(key)
        if death_count >= MAX_DEATH_COUNT:
            await self._store.delete(key)
            raise ExhaustedError(
                f"The orchestrator ended {death_count} times while it fetched this link, so it is not tried "
                "again by itself. Upload the file, or retry the session.",
                reason="FETCH_ABANDONED",
            )
        async with self._turn(alone=death_count >= ALONE_FROM_DEATH_COUNT):
            await self._store.put_bytes(key, json.dumps({"begun_count": death_count + 1}).encode())
            try:
                yield
            finally:
                # A store that is away must not hide how the try went.
                with suppress(UnavailableError):
                    await self._store.delete(key)

    @asynccontextmanager
    async def _turn(self, *, alone: bool) -> AsyncIterator[None]:
        self.alone_count += alone
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_begin(alone=alone))
                self._running_count += 1
            try:
                yield
            finally:
                self._running_count -= 1
        finally:
            self.alone_count -= alone
            async with self._changed:
                self._changed.notify_all()

    def _may_begin(self, *, alone: bool) -> bool:
        return not self._running_count if alone else not self.alone_count

    async def _death_count(self, key: str) -> int:
        try:
            kept = json.loads(await self._store.get_bytes(key))
        except NotFoundError:
            return 0
        except ValueError:
            return 1
        count = kept.get("begun_count") if isinstance(kept, dict) else None
        return count if isinstance(count, int) else 1
