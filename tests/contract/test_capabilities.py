"""What a session may ask for, relayed by the orchestrator: over a socket, on fake stages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import UnavailableError
from interview.v1 import orchestrator_pb2
from tests.fakes.stages import LANGUAGE_CODES, RUBRIC_IDS
from tests.world import World, running

pytestmark = pytest.mark.anyio

REQUEST = orchestrator_pb2.OrchestratorServiceGetCapabilitiesRequest()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def asked(world: World) -> Any:
    return await world.call(world.stub.GetCapabilities, REQUEST)


async def test_the_stages_say_which_languages_and_rubrics_there_are(world: World) -> None:
    reply = await asked(world)

    assert (tuple(reply.language_codes), tuple(reply.rubric_ids)) == (LANGUAGE_CODES, RUBRIC_IDS)


@pytest.mark.parametrize("away", ["languages", "rubrics"])
async def test_a_stage_that_is_away_leaves_out_only_its_own(world: World, away: str) -> None:
    world.stages.failures[away] = [UnavailableError("It is away.", reason="UNAVAILABLE")]

    reply = await asked(world)

    assert tuple(reply.language_codes) == (() if away == "languages" else LANGUAGE_CODES)
    assert tuple(reply.rubric_ids) == (() if away == "rubrics" else RUBRIC_IDS)


async def test_who_has_a_recording_to_send_can_ask_for_room_first(tmp_path: Path) -> None:
    async with running(tmp_path, session_count=1, waiting_session_count=1) as world:
        world.stages.seconds = 30
        at_first = (await asked(world)).has_room
        first = await world.create()
        await world.until_running(first, "vision")
        await world.create()
        one_waits = (await asked(world)).has_room
        await world.create()
        two_wait = (await asked(world)).has_room

    assert (at_first, one_waits, two_wait) == (True, True, False)
