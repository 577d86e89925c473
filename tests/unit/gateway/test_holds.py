"""A session under a legal hold is not deleted, and everybody who looks at it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio


async def test_a_session_under_a_legal_hold_can_not_be_deleted_until_it_is_released(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    accepted = await bench.http.post("/upload", files=videos(MP4), data=form("?"))
    path = f"/sessions/{accepted.json()['session_id']}"

    held = await bench.http.post(f"{path}/hold")
    refused = await bench.http.delete(path)
    released = await bench.http.post(f"{path}/release")

    assert (held.json()["held"], released.json()["held"]) == (True, False)
    assert (refused.status_code, refused.json()["code"]) == (409, "SESSION_HELD")
    assert (await bench.http.delete(path)).status_code == 200


async def test_a_hold_is_shown_in_the_state_and_in_the_list(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    accepted = await bench.http.post("/upload", files=videos(MP4), data=form("?"))
    session_id = accepted.json()["session_id"]

    async def shown() -> list[object]:
        state, listed = await bench.http.get(f"/status/{session_id}"), await bench.http.get("/sessions")
        return [state.json()["held"], *(session["held"] for session in listed.json()["sessions"])]

    assert await shown() == [False, False]
    await bench.http.post(f"/sessions/{session_id}/hold")
    assert await shown() == [True, True]
