"""Removes arriving recordings that nobody writes or reads any more: their processes were killed."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable

from chassis.store import MediaStore, StoredObject
from chassis.store.arriving import ARRIVING, remove_arriving

logger = logging.getLogger(__name__)


class LeftArrivals:
    """Looks through the arriving recordings of a store.

    No date says how old one is: dates jump, and a store's is another machine's. One goes once this process
    has seen it unchanged for a while.

    Args:
        media: The store.
        still_s: For how long. Longer than any upload pauses, and any stage takes to answer.
        monotonic: A clock that nobody sets, in seconds.
    """

    def __init__(
        self, media: MediaStore, still_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._media = media
        self._still_s = still_s
        self._monotonic = monotonic
        self._seen: dict[str, tuple[frozenset[StoredObject], float]] = {}

    async def once(self) -> None:
        """Look, and remove."""
        found: defaultdict[str, set[StoredObject]] = defaultdict(set)
        for item in await self._media.list(ARRIVING):
            found["/".join(item.key.split("/")[:3])].add(item)
        self._seen = {prefix: seen for prefix, seen in self._seen.items() if prefix in found}
        for prefix, objects in found.items():
            content = frozenset(objects)
            before, since_s = self._seen.get(prefix, (None, 0.0))
            if before != content:
                self._seen[prefix] = (content, self._monotonic())
            elif self._monotonic() - since_s >= self._still_s:
                await remove_arriving(self._media, prefix)
                del self._seen[prefix]
                logger.info("an arriving recording that nobody takes care of is removed")
