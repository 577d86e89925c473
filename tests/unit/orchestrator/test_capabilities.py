"""What stages can do is remembered for a moment, and room is asked for each time."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import UnavailableError
from orchestrator.capabilities import FRESH_S, Capabilities

pytestmark = pytest.mark.anyio


class Asked:
    """A stage and an orchestrator that count how often they are asked."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.stage_calls = self.room_calls = 0
        self.away = False
        self.answering = asyncio.Event()
        self.answering.set()
        self.begun = asyncio.Event()

    async def names(self) -> tuple[str, ...]:
        self.stage_calls += 1
        self.begun.set()
        await self.answering.wait()
        if self.away:
            raise UnavailableError("Away.", reason="UNAVAILABLE")
        return ("en", "id")

    async def rubrics(self) -> tuple[str, ...]:
        return ("general",)

    async def has_room(self) -> bool:
        self.room_calls += 1
        return self.room_calls < 3


@pytest.fixture
async def asked() -> Asked:
    return Asked()


@pytest.fixture
async def capabilities(asked: Asked) -> Capabilities:
    return Capabilities(asked.names, asked.rubrics, asked.has_room, clock=lambda: asked.now_s)


async def test_room_is_asked_for_each_time_and_the_stages_now_and_then(
    asked: Asked, capabilities: Capabilities
) -> None:
    rooms = [(await capabilities.ask()).has_room for _ in range(3)]
    asked.now_s = FRESH_S
    await capabilities.ask()

    assert rooms == [True, True, False]
    assert (asked.room_calls, asked.stage_calls) == (4, 2)


async def test_a_stage_that_is_away_is_asked_again(asked: Asked, capabilities: Capabilities) -> None:
    asked.away = True
    away = (await capabilities.ask()).language_codes
    asked.away, asked.now_s = False, FRESH_S
    back = (await capabilities.ask()).language_codes

    assert (list(away), list(back)) == ([], ["en", "id"])


async def test_a_stage_that_hangs_keeps_one_caller_waiting(asked: Asked, capabilities: Capabilities) -> None:
    await capabilities.ask()
    asked.now_s = FRESH_S
    asked.answering.clear()
    asked.begun.clear()
    first = asyncio.create_task(capabilities.ask())
    await asked.begun.wait()

    second = await capabilities.ask()
    asked.answering.set()

    assert list(second.language_codes) == ["en", "id"]
    assert list((await first).language_codes) == ["en", "id"]
