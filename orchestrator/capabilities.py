"""What a session may ask for, as the stages say it, and whether there is room for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from chassis.errors import InterviewError
from interview.v1 import orchestrator_pb2

AskNames = Callable[[], Awaitable[tuple[str, ...]]]
"""Asks a stage for the names of what it can do. Raises `InterviewError` where it can't be asked."""
FRESH_S = 10.0
"""What a stage said counts for so long. Who asks for room before each upload does not ask the stages."""


class Capabilities:
    """Asks the stages, and remembers for a moment what they said.

    Args:
        language_codes: Asks the transcriber for its languages.
        rubric_ids: Asks the assessor for its rubrics.
        has_room: Tells whether another session would be accepted.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        language_codes: AskNames,
        rubric_ids: AskNames,
        has_room: Callable[[], Awaitable[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._language_codes = _Remembered(language_codes, clock)
        self._rubric_ids = _Remembered(rubric_ids, clock)
        self._has_room = has_room

    async def ask(self) -> orchestrator_pb2.OrchestratorServiceGetCapabilitiesResponse:
        """Return what the stages say. One that is away leaves its list empty."""
        language_codes, rubric_ids, has_room = await asyncio.gather(
            self._language_codes.names(), self._rubric_ids.names(), self._has_room()
        )
        return orchestrator_pb2.OrchestratorServiceGetCapabilitiesResponse(
            language_codes=language_codes, rubric_ids=rubric_ids, has_room=has_room
        )


class _Remembered:
    """What one stage said last. Nothing where it could not be asked."""

    def __init__(self, ask: AskNames, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._asking = asyncio.Lock()
        self._names: tuple[str, ...] = ()
        self._stale_at_s = float("-inf")

    async def names(self) -> tuple[str, ...]:
        if self._asking.locked() and self._names:
            return self._names  # A stage that hangs keeps nobody waiting who can be told something.
        async with self._asking:
            if self._clock() >= self._stale_at_s:
                try:
                    self._names = await self._ask()
                except InterviewError:
                    self._names = ()
                self._stale_at_s = self._clock() + FRESH_S
            return self._names
