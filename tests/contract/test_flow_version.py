"""What a change of the flow may do to sessions in flight: nothing, or its version is raised."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator.durable.config import EngineConfig
from orchestrator.settings import OrchestratorSettings
from orchestrator.workflow import RESERVED_FIRST, RESERVED_LATER
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio

FIRST = ("extract", "transcribe", "translate", "assess", "vision", "speaker")
LATER = ("fetch",)
"""As they were released. A stage that is added comes to the end of this one."""


def test_reserved_steps_stand_where_they_were_and_new_ones_come_at_the_end() -> None:
    assert RESERVED_FIRST == FIRST
    assert RESERVED_LATER[: len(LATER)] == LATER


def test_the_version_is_a_constant_and_not_a_hash_of_the_source() -> None:
    assert OrchestratorSettings.model_fields["flow_version"].default == "1"
    assert EngineConfig("sqlite:///x").flow_version == "1"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'state.sqlite'}"


async def test_a_session_begun_under_one_version_is_finished_by_that_version_alone(
    tmp_path: Path, database_url: str
) -> None:
    quick: dict[str, Any] = {"database_url": database_url, "heartbeat_interval_s": 0.1, "dead_after_s": 1.0}
    async with running(tmp_path, executor_id="old", flow_version="1", **quick) as world:
        world.stages.seconds = 60
        session_id = await world.create()
        await world.until_running(session_id, "transcribe")
    async with running(tmp_path, executor_id="new", flow_version="2", **quick) as world:
        await asyncio.sleep(3)  # Long enough for a start and for many a look for the dead.
        assert not world.stages.calls
        fresh_id = await world.create()
        await world.until(fresh_id, COMPLETED)
        assert (await world.get(session_id)).state != COMPLETED
    async with running(tmp_path, executor_id="old", flow_version="1", **quick) as world:
        await world.until(session_id, COMPLETED)
