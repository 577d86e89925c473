"""The sweep: finds what nobody takes care of any more, and removes it.

* A deletion that its process did not end is finished.
* What has had its time is removed (`retention`).
* What was written for a deleted session after all is removed.
* Recordings whose session was never created (the upload broke off, or its process was killed) are removed.
  No date says how old they are: dates jump, and a store's is another machine's. A session's folder goes once
  this process has seen it unchanged, and its session unknown, for `orphan_s`.
* Arriving recordings that nobody writes or reads any more are removed (`early/left_over`).
* What killed writers left in a folder is removed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from chassis.acting import acting
from chassis.errors import InterviewError
from chassis.store import MediaStore, StoredObject
from chassis.store.parts import STALE_AFTER_S
from orchestrator.durable.engine import Engine
from orchestrator.early.left_over import LeftArrivals
from orchestrator.erasing import Erasure
from orchestrator.retention import Retention
from orchestrator.tombstones import Tombstones

logger = logging.getLogger(__name__)

Content = frozenset[StoredObject]
"""A folder's objects. Written again, one is another."""


class Sweep:
    """Removes what nobody takes care of.

    Args:
        engine: Knows the sessions.
        media: The store.
        tombstones: The marks of deleted sessions.
        erasure: Finishes deletions.
        retention: Removes what has had its time.
        interval_s: Between two sweeps.
        orphan_s: How long recordings may lie without a session. Longer than any upload takes.
        arrivals: Removes arriving recordings that were left. None: nobody does.
        monotonic: A clock that nobody sets, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        media: MediaStore,
        tombstones: Tombstones,
        erasure: Erasure,
        retention: Retention,
        *,
        interval_s: float,
        orphan_s: float,
        arrivals: LeftArrivals | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._arrivals = arrivals
        self._engine = engine
        self._media = media
        self._tombstones = tombstones
        self._erasure = erasure
        self._retention = retention
        self._interval_s = interval_s
        self._orphan_s = orphan_s
        self._monotonic = monotonic
        self._seen: dict[str, tuple[Content, float]] = {}
        """Folders without a session: what was in them, and since when that is so."""

    async def run(self) -> None:
        """Sweep, now and again, until cancelled."""
        while True:
            try:
                await self.once()
                await self._media.sweep_parts(STALE_AFTER_S)
            except InterviewError as error:
                logger.warning("the sweep broke off; it begins again later", extra={"reason": error.reason})
            except Exception:
                logger.exception("the sweep broke off; it begins again later")
            # Replicas that were started together do not sweep together.
            await asyncio.sleep(self._interval_s * random.uniform(0.8, 1.2))  # noqa: S311

    async def once(self) -> None:
        """Sweep once."""
        with acting("system:sweep"):
            await self._once()

    async def _once(self) -> None:
        await self._erasure.finish_begun()
        folders = await self._folders()
        known = await self._engine.known(list(folders))
        self._seen = {session_id: seen for session_id, seen in self._seen.items() if session_id in folders}
        for session_id, content in folders.items():
            if session_id in known:
                self._seen.pop(session_id, None)
            elif await self._tombstones.stands(session_id):
                await self._erasure.remove_deleted(session_id)
            elif self._is_orphan(session_id, content):
                await self._remove_orphan(session_id, content)
        kept = {session_id: content for session_id, content in folders.items() if session_id in known}
        if self._arrivals is not None:
            await self._arrivals.once()
        await self._retention.once(kept)
        await self._engine.forget()

    async def _folders(self) -> Mapping[str, Content]:
        found: dict[str, set[StoredObject]] = defaultdict(set)
        for item in await self._media.list("sessions"):
            found[item.key.split("/")[1]].add(item)
        return {session_id: frozenset(content) for session_id, content in found.items()}

    def _is_orphan(self, session_id: str, content: Content) -> bool:
        before, since_s = self._seen.get(session_id, (None, 0.0))
        if before != content:
            self._seen[session_id] = (content, self._monotonic())
            return False
        return self._monotonic() - since_s >= self._orphan_s

    async def _remove_orphan(self, session_id: str, content: Content) -> None:
        if await self._engine.known([session_id]):  # Created while this sweep went on.
            return
        for item in content:  # Not what has come since: that is somebody's upload.
            await self._media.delete(item.key)
        del self._seen[session_id]
        logger.info("recordings without a session are removed", extra={"session_id": session_id})
