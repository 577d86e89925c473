"""What the engine keeps of sessions and versions: asking for it, and changing it from outside.

Who asks here waits for an answer, so every call has a bound.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import UTC, datetime

from dbos import DBOS, error

from orchestrator.durable.config import EngineConfig
from orchestrator.durable.rows import has_ended, last_change_s, milestones_of, session_row, version_row
from orchestrator.durable.sqlite_file import empty_log
from orchestrator.durable.trouble import DatabaseTrouble
from orchestrator.progress import MS_PER_S, Milestone, ProgressTracker
from orchestrator.sessions import SessionRow
from orchestrator.versions import VersionRow

logger = logging.getLogger(__name__)

QUEUE = "sessions"
REASSESSMENT = "reassessment"
MAX_IDS_COUNT = 500
"""Sessions that are asked for at once."""


class KeptSessions:
    """Sessions and versions as the engine keeps them.

    Args:
        config: How it runs.
        tracker: Knows the live sessions.
    """

    def __init__(self, config: EngineConfig, tracker: ProgressTracker) -> None:
        self._config = config
        self._tracker = tracker
        self._trouble = DatabaseTrouble()

    @property
    def trouble(self) -> DatabaseTrouble:
        """Whether the database takes writes."""
        return self._trouble

    async def get(self, session_id: str) -> SessionRow | None:
        """Return a session with its milestones, or None where there is none."""
        return await self._trouble.bounded(self._read(session_id))

    async def _read(self, session_id: str) -> SessionRow | None:
        rows = await DBOS.list_workflows_async(workflow_ids=[session_id])
        return session_row(rows[0], await self.milestones(session_id)) if rows else None

    async def milestones(self, session_id: str) -> tuple[Milestone, ...]:
        """Return a session's milestones to who has time: an outage of the database is waited for."""
        return milestones_of(await DBOS.get_all_events_async(session_id))

    async def waiting_count(self, limit: int) -> int:
        """Count sessions and reassessments that wait for their turn, up to `limit`."""
        waiting = DBOS.list_workflows_async(
            status="ENQUEUED",
            name=["session", REASSESSMENT],
            limit=limit,
            load_input=False,
            load_output=False,
        )
        return len(await self._trouble.bounded(waiting))

    async def page(self, end_time_ms: int | None, offset: int, limit: int) -> list[tuple[int, SessionRow]]:
        """Return sessions, the newest first, each with its time of acceptance in milliseconds.

        Args:
            end_time_ms: Only those accepted up to then. None: all.
            offset: How many to pass over.
            limit: How many to return.
        """
        # Half a millisecond more: the engine truncates, and must not land one lower.
        end = datetime.fromtimestamp((end_time_ms + 0.5) / MS_PER_S, UTC).isoformat() if end_time_ms else None
        asked = DBOS.list_workflows_async(
            name="session", sort_desc=True, end_time=end, offset=offset, limit=limit
        )
        rows = await self._trouble.bounded(asked)
        return [(row.created_at or 0, session_row(row, ())) for row in rows]

    async def cancel(self, session_id: str) -> None:
        """Cancel a session. Its running steps are cancelled within about a second."""
        await self._trouble.bounded(DBOS.cancel_workflow_async(session_id), writes=True)
        logger.info("session ends", extra={"session_id": session_id, "state": "cancelled", "reason": ""})

    async def delete(self, session_id: str) -> None:
        """Remove a session from the engine; nothing of it can be read in the database's files any more."""
        await self._trouble.bounded(DBOS.delete_workflow_async(session_id), writes=True)
        self._tracker.end(session_id)
        await self.forget()

    async def forget(self) -> None:
        """Empty the database's write-ahead log, which holds what was deleted (SQLite only)."""
        if self._config.on_sqlite:
            await asyncio.to_thread(empty_log, self._config.database_url)

    async def known(self, session_ids: Collection[str]) -> set[str]:
        """Return those of the sessions that there are."""
        found: set[str] = set()
        wanted = sorted(session_ids)
        for first in range(0, len(wanted), MAX_IDS_COUNT):
            ids = wanted[first : first + MAX_IDS_COUNT]
            asked = DBOS.list_workflows_async(workflow_ids=ids, load_input=False, load_output=False)
            rows = await self._trouble.bounded(asked)
            found |= {row.workflow_id for row in rows}
        return found

    async def end_times_s(self, session_ids: Collection[str]) -> dict[str, float]:
        """Return when sessions ended, in seconds since 1970-01-01 UTC. Those that have not are left out."""
        found: dict[str, float] = {}
        wanted = sorted(session_ids)
        for first in range(0, len(wanted), MAX_IDS_COUNT):
            ids = wanted[first : first + MAX_IDS_COUNT]
            asked = DBOS.list_workflows_async(workflow_ids=ids, load_input=False, load_output=False)
            rows = await self._trouble.bounded(asked)
            found |= {row.workflow_id: last_change_s(row) for row in rows if has_ended(row)}
        return found

    def is_here(self, session_id: str) -> bool:
        """Tell whether a session is at work in this process."""
        return self._tracker.snapshot(session_id) is not None

    async def rerun(self, session_id: str) -> bool:
        """Run an ended session again from its first step, in place. Kept outputs make that short.

        Returns:
            False where it runs again already, or is gone.
        """
        try:
            rewinding = DBOS.rewind_workflow_async(session_id, start_step=1, queue_name=QUEUE)
            await self._trouble.bounded(rewinding, writes=True)
        except error.DBOSException:
            row = await self.get(session_id)
            if row is None or not row.ended:  # Somebody else did the same at the same moment.
                return False
            raise
        return True

    async def versions(self, session_id: str) -> list[VersionRow]:
        """Return the later versions of a session's result, in the order of their numbers."""
        asked = DBOS.list_workflows_async(name=REASSESSMENT, workflow_id_prefix=f"{session_id}-")
        rows = await self._trouble.bounded(asked)
        return sorted((version_row(row) for row in rows), key=lambda version: version.version_id)

    async def cancel_version(self, session_id: str, version_id: int) -> None:
        """Cancel a reassessment, as a session is."""
        cancelling = DBOS.cancel_workflow_async(version_key(session_id, version_id))
        await self._trouble.bounded(cancelling, writes=True)

    async def delete_version(self, session_id: str, version_id: int) -> None:
        """Remove a reassessment from the engine."""
        deleting = DBOS.delete_workflow_async(version_key(session_id, version_id))
        await self._trouble.bounded(deleting, writes=True)


def version_key(session_id: str, version_id: int) -> str:
    """Return the engine's name of a version."""
    return f"{session_id}-{version_id}"
