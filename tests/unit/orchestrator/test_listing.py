"""A page of sessions where most of what is kept is not wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2 as pb
from orchestrator.progress import ProgressTracker
from orchestrator.retention import LegalHolds
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


def servicer_of(engine: FakeEngine, folder: Path) -> OrchestratorServicer:
    return OrchestratorServicer(
        cast("Any", engine),
        ProgressTracker(),
        outputs=ABSENT,
        accepting=ABSENT,
        reassessments=ABSENT,
        capabilities=ABSENT,
        recordings=ABSENT,
        following=ABSENT,
        erasure=ABSENT,
        holds=LegalHolds(MediaStore(folder.as_uri())),
        audit=ABSENT,
    )


async def pages(engine: FakeEngine, size_count: int, folder: Path) -> list[list[str]]:
    servicer = servicer_of(engine, folder)
    found, token = [], ""
    while True:
        request = pb.ListSessionsRequest(owner_group="hr", page_size_count=size_count, page_token=token)
        page = await servicer.ListSessions(request, ABSENT)
        found.append([session.session_id.lstrip("0") for session in page.sessions])
        token = page.next_page_token
        if not token:
            return found


async def test_few_sessions_among_many_of_others_are_found_in_few_questions(tmp_path: Path) -> None:
    engine = FakeEngine("hr", *["sales"] * 5_000, "hr", "sales")

    assert await pages(engine, 2, tmp_path) == [["", "1389"], []]
    assert engine.question_count < 5_000 / 100


async def test_a_page_ends_early_where_nearly_nothing_is_wanted_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    others_count = 2 * MAX_LOOKED_AT_COUNT + 500
    engine = FakeEngine(*["sales"] * others_count, "hr")

    found = await pages(engine, 50, tmp_path)

    assert [session for page in found for session in page] == [f"{others_count:x}"]
    assert len(found) == 3
