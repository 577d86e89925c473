"""Places at the stages that all replicas on one Postgres share: a count is of the stage, not of a replica.

Whoever wants a place puts a ticket into a table. The tickets of a stage are served in their order, whichever
replica they are of. Waiting holds no connection and no thread: one task of the process looks twice a second.
A replica that dies leaves its tickets to the reaper (`failover.py`).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.durable.connections import connect
from orchestrator.running.places import Places

logger = logging.getLogger(__name__)

LOOK_INTERVAL_S = 0.5
"""How often is looked whether the turn has come. With jitter, so that replicas do not look in step."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('orch_place ' || :stage, 0))"
REMOVE = "DELETE FROM orch_place WHERE id = :id"
PUT = """
    INSERT INTO orch_place (id, stage, owner, held) VALUES (:id, :stage, :owner, :held)
    ON CONFLICT (id) DO NOTHING
"""
SERVE = """
    UPDATE orch_place SET held = true WHERE id IN (
        SELECT id FROM orch_place WHERE stage = :stage AND NOT held ORDER BY number
        LIMIT greatest(0, :count - (SELECT count(*) FROM orch_place WHERE stage = :stage AND held)))
"""
WAITED_FOR = "SELECT EXISTS (SELECT FROM orch_place WHERE stage = :stage AND NOT held)"
FIND_HELD = "SELECT id FROM orch_place WHERE owner = :owner AND held"


@dataclass(frozen=True)
class Ticket:
    """A wish for a place, and the place once it is granted."""

    id: str
    stage: str
    granted: asyncio.Future[None] = field(compare=False)

    @property
    def held(self) -> bool:
        """Whether its turn has come."""
        return self.granted.done()


class SharedPlaces:
    """See `Places`. Use it inside the running event loop.

    Args:
        database_url: The engine's database (Postgres).
        owner: Names this process: its incarnation.
        counts: How many places stages have. A number may change: it counts from the next look on.
        own: The places of all other stages.
        shared: The stages that are shared. None: all that are counted.
    """

    def __init__(
        self,
        database_url: str,
        owner: str,
        counts: Mapping[str, int],
        own: Places,
        shared: Collection[str] | None = None,
    ) -> None:
        self._engine = connect(database_url, "places", connection_count=1)
        self._owner = owner
        self._counts = counts
        self._shared = frozenset(counts if shared is None else shared)
        self._own = own
        self._tickets: dict[str, Ticket] = {}
        self._returned: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._reached = True
        self._keeper: asyncio.Task[None] | None = None
        # A thread of its own: the loop's pool may be full of work that waits for the same database.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="places")

    def __getitem__(self, stage: str, /) -> AbstractAsyncContextManager[None]:
        """See `Places`."""
        return self._place(stage) if stage in self._shared else self._own[stage]

    def count(self, stage: str, /) -> int:
        """See `Places`."""
        return self._counts[stage] if stage in self._shared else self._own.count(stage)

    @asynccontextmanager
    async def _place(self, stage: str) -> AsyncIterator[None]:
        ticket = Ticket(uuid.uuid4().hex, stage, asyncio.get_running_loop().create_future())
        self._tickets[ticket.id] = ticket
        self._look()
        try:
            await ticket.granted
            yield
        finally:
            del self._tickets[ticket.id]
            self._returned[ticket.id] = stage
            self._look()

    async def is_waited_for(self, stage: str) -> bool:
        """Tell whether somebody waits for a place of a stage, on whichever replica."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._is_waited_for, stage)
        except SQLAlchemyError:  # Nobody gets a place then either.
            return False

    def _is_waited_for(self, stage: str) -> bool:
        if stage not in self._shared:
            return False
        with self._engine.begin() as connection:
            return bool(connection.execute(sqlalchemy.text(WAITED_FOR), {"stage": stage}).scalar())

    def _look(self) -> None:
        """Have the keeper look now."""
        self._changed.set()
        if self._keeper is None or self._keeper.done():
            # In an empty context: it must not run as a part of the step that happens to begin it.
            self._keeper = contextvars.Context().run(asyncio.create_task, self._keep())

    @property
    def _busy(self) -> bool:
        return bool(self._returned) or any(not ticket.held for ticket in self._tickets.values())

    async def _keep(self) -> None:
        """Bring the tickets into the table and serve them, as long as one waits or is to be given back."""
        try:
            while self._busy:
                self._changed.clear()
                if await self._served():
                    await self._change()
                else:
                    await asyncio.sleep(LOOK_INTERVAL_S * (1 + random.random()))  # noqa: S311 - spreads replicas
        finally:  # A process at rest holds no connection for this.
            self._thread.submit(self._engine.dispose)

    async def _served(self) -> bool:
        """Grant the places of those whose turn has come. False where the database can't be reached."""
        tickets = [(ticket, ticket.held) for ticket in self._tickets.values()]
        returned = dict(self._returned)
        exchange = asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, tickets, returned)
        try:
            held = await exchange
        except SQLAlchemyError:
            if self._reached:
                logger.warning("the database can't be reached, so no stage gets a place")
            self._reached = False
            return False
        self._reached = True
        for ticket_id in returned:
            del self._returned[ticket_id]
        for ticket, _ in tickets:
            if ticket.id in held and not ticket.granted.done():
                ticket.granted.set_result(None)
        return True

    async def _change(self) -> None:
        """Wait until a ticket comes or goes here, or until it is time to look for those of other replicas."""
        if any(not ticket.held for ticket in self._tickets.values()):
            try:
                async with asyncio.timeout(LOOK_INTERVAL_S * (0.5 + random.random())):  # noqa: S311
                    await self._changed.wait()
            except TimeoutError:
                return

    def _exchange(self, tickets: list[tuple[Ticket, bool]], returned: Mapping[str, str]) -> set[str]:
        """Put what is wanted, take back what is returned, serve whose turn it is. Returns what we hold."""
        stages = {ticket.stage for ticket, held in tickets if not held} | set(returned.values())
        with self._engine.begin() as connection:
            # Before any row is touched, and in one order: nobody waits for two in a circle.
            for stage in sorted(stages):
                connection.execute(sqlalchemy.text(LOCK), {"stage": stage})
            if returned:
                connection.execute(sqlalchemy.text(REMOVE), [{"id": ticket_id} for ticket_id in returned])
            # All, also those of before: a replica that was taken for dead has lost its own.
            if rows := [
                {"id": ticket.id, "stage": ticket.stage, "owner": self._owner, "held": held}
                for ticket, held in tickets
                if ticket.stage in stages
            ]:
                connection.execute(sqlalchemy.text(PUT), rows)
            for stage in sorted(stages):
                connection.execute(sqlalchemy.text(SERVE), {"stage": stage, "count": self._counts[stage]})
            found = connection.execute(sqlalchemy.text(FIND_HELD), {"owner": self._owner})
            return {str(ticket_id) for (ticket_id,) in found}
