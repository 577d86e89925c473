"""A page of sessions where most of what is kept is not wanted."""

from __future__ import annotations

from typing import Any, cast

import pytest

from interview.v1 import orchestrator_pb2 as pb
from orchestrator.progress import ProgressTracker
from orchestrator.servicer import MAX_LOOKED_AT_COUNT, OrchestratorServicer
from orchestrator.sessions import SessionRow

pytestmark = pytest.mark.anyio

NEWEST_MS = 1_700_000_000_000
ABSENT: Any = None


class FakeEngine:
    """Keeps sessions, one a millisecond, the newest first."""

    def __init__(self, *groups: str) -> None:
        self.groups = groups
        self.question_count = 0

    async def page(self, end_time_ms: int | None, offset: int, limit: int) -> list[tuple[int, SessionRow]]:
        self.question_count += 1
        first = (0 if end_time_ms is None else NEWEST_MS - end_time_ms) + offset
        return [
            (NEWEST_MS - place, self._row(place))
            for place in range(first, min(first + limit, len(self.groups)))
        ]

    def _row(self, place: int) -> SessionRow:
        request = pb.CreateSessionRequest(session_id=f"{place:032x}", owner_group=self.groups[place])
        return SessionRow(request, "queued", 0.0)


def servicer_of(engine: FakeEngine) -> OrchestratorServicer:
    rest = [ABSENT] * (OrchestratorServicer.__init__.__code__.co_argcount - 3)
    return OrchestratorServicer(cast("Any", engine), ProgressTracker(), *rest)


async def pages(engine: FakeEngine, size_count: int) -> list[list[str]]:
    found, token = [], ""
    while True:
        request = pb.ListSessionsRequest(owner_group="hr", page_size_count=size_count, page_token=token)
        page = await servicer_of(engine).ListSessions(request, ABSENT)
        found.append([session.session_id.lstrip("0") for session in page.sessions])
        token = page.next_page_token
        if not token:
            return found


async def test_few_sessions_among_many_of_others_are_found_in_few_questions() -> None:
    engine = FakeEngine("hr", *["sales"] * 5_000, "hr", "sales")

    assert await pages(engine, 2) == [["", "1389"], []]
    assert engine.question_count < 5_000 / 100


async def test_a_page_ends_early_where_nearly_nothing_is_wanted_and_the_next_one_goes_on() -> None:
    others_count = 2 * MAX_LOOKED_AT_COUNT + 500
    engine = FakeEngine(*["sales"] * others_count, "hr")

    found = await pages(engine, 50)

    assert [session for page in found for session in page] == [f"{others_count:x}"]
    assert len(found) == 3
