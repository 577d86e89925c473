"""Links that are slow, not allowed, or bring the process down: what they cost others, and how they end."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.stages.fetch_attempts import MAX_DEATH_COUNT
from orchestrator.stages.outputs import fingerprint
from tests.linked_sessions import FileServer, create, serving, stages
from tests.world import COMPLETED, FAILED, World, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileServer]:
    async with serving(tmp_path) as server:
        yield server


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path, allow_private_links=True) as running_world:
        yield running_world


async def test_slow_links_give_their_places_up_to_others(tmp_path: Path, files: FileServer) -> None:
    async with (
        serving(tmp_path) as slow,
        running(
            tmp_path, allow_private_links=True, fetch_count=2, fetch_stall_s=0.5, stage_attempt_count=1
        ) as world,
    ):
        slow.gate.clear()
        slow_ids = [await create(world, slow.url) for _ in range(2)]
        await slow.asked()
        good_id = await create(world, files.url)
        good = await world.until(good_id, COMPLETED, FAILED)
        ended = [await world.until(session_id, COMPLETED, FAILED) for session_id in slow_ids]

    assert good.state == COMPLETED
    assert [session.reason for session in ended] == ["DOWNLOAD_TOO_SLOW"] * 2


async def test_only_hosts_of_the_list_are_asked(tmp_path: Path, files: FileServer) -> None:
    async with running(tmp_path, allow_private_links=True, link_hosts=("drive.google.com",)) as careful:
        session = await careful.until(await create(careful, files.url), COMPLETED, FAILED)

    assert session.reason == "LINK_HOST_FORBIDDEN"
    assert files.request_count == 0


async def test_a_fetch_in_which_the_process_died_often_is_given_up_until_somebody_retries(
    world: World, files: FileServer
) -> None:
    session_id = uuid.uuid4().hex
    outputs = world.folder / "store" / "sessions" / session_id / "outputs" / "1"
    outputs.mkdir(parents=True)
    count = outputs / f"fetch-{fingerprint('fetch', files.url)}.begun"
    count.write_text(json.dumps({"begun_count": MAX_DEATH_COUNT}))
    await create(world, files.url, session_id=session_id)
    session = await world.until(session_id, COMPLETED, FAILED)

    assert session.reason == "FETCH_ABANDONED"
    assert stages(session)["fetch"].attempt_count == 1
    assert files.request_count == 0

    await world.do("RetrySession", session_id)
    await world.until(session_id, COMPLETED)
    assert list(outputs.glob("*.begun")) == []


async def test_a_fetch_is_counted_before_the_link_is_asked_and_not_after_it_went_well(
    world: World, files: FileServer
) -> None:
    files.gate.clear()
    session_id = await create(world, files.url)
    await files.asked()
    outputs = world.folder / "store" / "sessions" / session_id / "outputs" / "1"
    counted = [json.loads(path.read_text()) for path in outputs.glob("fetch-*.begun")]
    files.gate.set()
    await world.until(session_id, COMPLETED)

    assert counted == [{"begun_count": 1}]
    assert list(outputs.glob("*.begun")) == []
