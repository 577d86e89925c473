"""How long sessions and their parts are kept, and which are kept come what may.

An age counts from a session's end. A part that expires is removed as a deletion would remove it, and its
receipt is kept. The words of an answer stand in its transcript and in the result, so these two go together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from chassis.errors import InterviewError, PreconditionError
from chassis.store import MediaStore, StoredObject
from orchestrator.audit.log import Audit
from orchestrator.audit.records import Action
from orchestrator.durable.engine import Engine
from orchestrator.erasing import Erasure, kind_of
from orchestrator.settings import S_PER_DAY, RetentionPeriods
from orchestrator.stages.outputs import session_prefix

HELD = "held"
SHOWN_FOR_S = 2.0
"""A session's state is asked for several times a second, and the store need not be."""
LOOK_TIMEOUT_S = 1.0


class LegalHolds:
    """Sessions that are neither deleted nor expire: `held/<id>` in the store.

    Args:
        media: The store.
    """

    def __init__(self, media: MediaStore, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._media = media
        self._monotonic = monotonic
        self._shown: frozenset[str] | None = None
        self._look_again_at_s = 0.0
        self._looking = asyncio.Lock()

    async def set(self, session_id: str, *, held: bool) -> None:
        """Keep a session, or let it go."""
        if held:
            await self._media.put_bytes(f"{HELD}/{session_id}", b"")
        else:
            await self._media.delete(f"{HELD}/{session_id}")
        self._look_again_at_s = 0.0

    async def shown(self, session_id: str) -> bool | None:
        """Tell whether a session is kept, for whoever looks at it. Nothing is decided by this.

        Returns:
            What the store said, `SHOWN_FOR_S` ago at most. None while it can't be asked.
        """
        async with self._looking:
            if self._monotonic() >= self._look_again_at_s:
                self._shown = await self._listed()
                self._look_again_at_s = self._monotonic() + SHOWN_FOR_S
        return None if self._shown is None else session_id in self._shown

    async def _listed(self) -> frozenset[str] | None:
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                return frozenset(PurePosixPath(item.key).name for item in await self._media.list(HELD))
        except (InterviewError, TimeoutError):
            return None  # A session is shown also while the store is away.

    async def is_held(self, session_id: str) -> bool:
        """Tell whether a session is kept."""
        return await self._media.exists(f"{HELD}/{session_id}")

    async def any(self) -> bool:
        """Tell whether any session is kept."""
        return bool(await self._media.list(HELD))

    async def check_free(self, session_id: str, audit: Audit) -> None:
        """Refuse to delete a session that is kept, and note that somebody wanted it.

        Raises:
            PreconditionError: It is (`SESSION_HELD`).
        """
        if await self.is_held(session_id):
            audit.note(Action.DELETE, session_id, "SESSION_HELD")
            raise PreconditionError(
                "This session is under a legal hold. Lift the hold before you delete it.",
                reason="SESSION_HELD",
            )


class Retention:
    """Removes what has had its time.

    Args:
        engine: Knows when sessions ended.
        erasure: Removes.
        holds: Sessions that are kept.
        periods: How long things are kept.
        audit: The log that has its time as well.
        now: The date, in seconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        engine: Engine,
        erasure: Erasure,
        holds: LegalHolds,
        periods: RetentionPeriods,
        audit: Audit,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._erasure = erasure
        self._holds = holds
        self._periods = periods
        self._audit = audit
        self._now = now

    async def once(self, folders: Mapping[str, frozenset[StoredObject]]) -> None:
        """Look at sessions once.

        Args:
            folders: What they have in the store, by their ids.
        """
        for session_id, end_time_s in (await self._engine.end_times_s(list(folders))).items():
            age_s = self._now() - end_time_s
            kinds = self._periods.expired_kinds(age_s) & _kinds_in(session_id, folders[session_id])
            if kinds or self._periods.session_expired(age_s):
                await self._expire(session_id, kinds, age_s)
        await self._prune_audit()

    async def _prune_audit(self) -> None:
        # A chain loses its beginning or nothing. What was done to a session that is kept is kept with it.
        if self._periods.audit_days and not await self._holds.any():
            while await self._audit.prune(self._periods.audit_days * S_PER_DAY):
                pass

    async def _expire(self, session_id: str, kinds: frozenset[str], age_s: float) -> None:
        row = await self._engine.get(session_id)
        versions = await self._engine.versions(session_id)
        busy = row is None or not row.ended or any(not version.ended for version in versions)
        if row is None or busy or await self._holds.is_held(session_id):
            return
        if self._periods.session_expired(age_s):
            await self._erasure.delete(row)
        else:
            await self._erasure.expire(row, kinds)


def _kinds_in(session_id: str, content: frozenset[StoredObject]) -> frozenset[str]:
    return frozenset(kind_of(item.key.removeprefix(f"{session_prefix(session_id)}/")) for item in content)
