"""An audit log that remembers what it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.acting import current_actor
from chassis.errors import InterviewError
from orchestrator.audit.log import Change
from orchestrator.audit.records import BEGUN, OK, Action, Detail


class FakeAudit:
    """Implements `orchestrator.audit.log.Audit` in memory."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        """Action, outcome, who."""
        self.details: list[dict[str, Detail]] = []
        self.failure: InterviewError | None = None
        """Raised by every record while it is set."""
        self.pruned_after_s: list[float] = []

    async def append(self, action: Action, session_id: str, outcome: str = OK, **details: Detail) -> None:
        if self.failure is not None:
            raise self.failure
        self.note(action, session_id, outcome, **details)

    def note(self, action: Action, session_id: str, outcome: str = OK, **details: Detail) -> None:
        self.told.append((action.value, outcome, current_actor.get().who))
        self.details.append(details)

    @asynccontextmanager
    async def change(self, action: Action, session_id: str, **details: Detail) -> AsyncIterator[Change]:
        await self.append(action, session_id, BEGUN, **details)
        change = Change()
        yield change
        self.note(action, session_id, OK, **details | change.details)

    async def prune(self, max_age_s: float) -> int:
        self.pruned_after_s.append(max_age_s)
        return 0
