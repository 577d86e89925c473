"""A stand-in for the workflow engine: keeps rows in memory, works on nothing, and notes what it is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.sessions import ENDED, SessionRow
from orchestrator.versions import VersionRow


class FakeEngine:
    """See `orchestrator.durable.engine.Engine`."""

    def __init__(self, *rows: SessionRow) -> None:
        self.rows = {row.request.session_id: row for row in rows}
        self.later: dict[str, list[VersionRow]] = {}
        self.here: set[str] = set()
        self.stuck: set[str] = set()
        """Sessions of which a step does not stop."""
        self.settled_count = 0
        """How often it was asked whether steps have ended."""
        self.done: list[str] = []
        self.closed = False

    async def get(self, session_id: str) -> SessionRow | None:
        return self.rows.get(session_id)

    async def known(self, session_ids: Collection[str]) -> set[str]:
        return set(session_ids) & set(self.rows)

    async def end_times_s(self, session_ids: Collection[str]) -> dict[str, float]:
        rows = {session_id: self.rows[session_id] for session_id in session_ids if session_id in self.rows}
        return {session_id: row.end_time_s or 0.0 for session_id, row in rows.items() if row.ended}

    def is_here(self, session_id: str) -> bool:
        return session_id in self.here

    async def cancel(self, session_id: str) -> None:
        self.done.append("cancel")
        if self.rows[session_id].state not in ENDED:
            self.rows[session_id] = replace(self.rows[session_id], state="cancelled")

    async def settled(self, session_id: str, timeout_s: float) -> bool:
        self.settled_count += 1
        return session_id not in self.stuck

    async def delete(self, session_id: str) -> None:
        self.done.append("delete")
        self.rows.pop(session_id, None)

    async def forget(self) -> None:
        self.done.append("forget")

    async def versions(self, session_id: str) -> list[VersionRow]:
        return list(self.later.get(session_id, []))

    async def cancel_version(self, session_id: str, version_id: int) -> None:
        self.done.append(f"cancel version {version_id}")

    async def delete_version(self, session_id: str, version_id: int) -> None:
        self.later[session_id] = [one for one in self.later[session_id] if one.version_id != version_id]
