"""Sessions that an older build was still fetching are handed to the orchestrator, each for itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chassis.client import RetryPolicy
from chassis.errors import UnavailableError
from chassis.store import MediaStore
from gateway.uploads.pending import PENDING_PREFIX, PendingSessions
from tests.fakes.orchestrator import FakeOrchestrator

pytestmark = pytest.mark.anyio

RETRY = RetryPolicy(3, 0.001, 0.002)
AWAY = UnavailableError("Away.", reason="ORCHESTRATOR_UNAVAILABLE")


def kept(session_id: str, **changes: Any) -> bytes:
    answers = [
        {
            "position": 1,
            "question": "Q1",
            "url": "https://a.example/1",
            "unavailable_reason": "",
            "rubric_id": "x",
        },
        {"position": 2, "question": "", "url": "", "unavailable_reason": "QUESTION_MISSING", "rubric_id": ""},
    ]
    session = {"session_id": session_id, "candidate_name": "A", "language_code": "en", "answers": answers}
    return json.dumps(session | {"refusal": "", "rubric_id": "general"} | changes).encode()


class Kept:
    def __init__(self, folder: Path, **files: bytes) -> None:
        self.orchestrator = FakeOrchestrator()
        self.store = MediaStore(folder.as_uri())
        self.files = files
        self.pending = PendingSessions(self.orchestrator, self.store, RETRY)

    async def hand_over(self) -> list[str]:
        for name, data in self.files.items():
            await self.store.put_bytes(f"{PENDING_PREFIX}/{name}.json", data)
        await self.pending.hand_over()
        return sorted(item.key for item in await self.store.list(PENDING_PREFIX))


async def test_a_session_goes_over_with_its_links_and_leaves_nothing(tmp_path: Path) -> None:
    old = Kept(tmp_path, a=kept("1" * 32))
    left = await old.hand_over()
    draft = old.orchestrator.drafts["1" * 32]

    assert left == []
    assert (draft.candidate_name, draft.rubric_id) == ("A", "general")
    assert [answer.link for answer in draft.answers] == ["https://a.example/1", ""]
    assert [answer.unavailable_reason for answer in draft.answers] == ["", "QUESTION_MISSING"]


async def test_one_that_cannot_be_read_stays_and_stops_nobody(tmp_path: Path) -> None:
    files = {"a": b"{half", "b": b"[]", "c": b"\xff", "d": b'{"answers": 3}', "e": kept("2" * 32)}
    old = Kept(tmp_path, **files)
    left = await old.hand_over()

    assert left == [f"{PENDING_PREFIX}/{name}.json" for name in "abcd"]
    assert list(old.orchestrator.drafts) == ["2" * 32]


async def test_an_orchestrator_that_is_away_is_asked_again_and_nothing_is_lost(tmp_path: Path) -> None:
    old = Kept(tmp_path, a=kept("1" * 32))
    old.orchestrator.failure = AWAY
    left = await old.hand_over()
    old.orchestrator.failure = None
    await old.pending.hand_over()

    assert left == [f"{PENDING_PREFIX}/a.json"]
    assert list(old.orchestrator.drafts) == ["1" * 32]
    assert not await old.store.list(PENDING_PREFIX)


async def test_one_that_was_refused_for_good_is_not_offered_again(tmp_path: Path) -> None:
    old = Kept(tmp_path, a=kept("1" * 32, refusal="No such rubric."))

    assert await old.hand_over() == [f"{PENDING_PREFIX}/a.json"]
    assert not old.orchestrator.drafts


async def test_handing_over_never_keeps_the_gateway_from_starting_or_stopping(tmp_path: Path) -> None:
    old = Kept(tmp_path, a=kept("1" * 32))
    old.orchestrator.failure = AWAY
    slow = PendingSessions(old.orchestrator, old.store, RetryPolicy(9, 600.0, 600.0))
    await old.store.put_bytes(f"{PENDING_PREFIX}/a.json", kept("1" * 32))
    async with asyncio.timeout(10), slow.handed_over():
        await asyncio.sleep(0)
    assert await old.store.exists(f"{PENDING_PREFIX}/a.json")
