"""What a session may ask for, as the stages say it, and whether there is room for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chassis.errors import InterviewError
from interview.v1 import orchestrator_pb2

AskNames = Callable[[], Awaitable[tuple[str, ...]]]
"""Asks a stage for the names of what it can do. Raises `InterviewError` where it can't be asked."""


class Capabilities:
    """Asks the stages.

    Args:
        language_codes: Asks the transcriber for its languages.
        rubric_ids: Asks the assessor for its rubrics.
        has_room: Tells whether another session would be accepted.
    """

    def __init__(
        self, language_codes: AskNames, rubric_ids: AskNames, has_room: Callable[[], Awaitable[bool]]
    ) -> None:
        self._language_codes = language_codes
        self._rubric_ids = rubric_ids
        self._has_room = has_room

    async def ask(self) -> orchestrator_pb2.OrchestratorServiceGetCapabilitiesResponse:
        """Return what the stages say. One that is away leaves its list empty."""
        language_codes, rubric_ids, has_room = await asyncio.gather(
            _names(self._language_codes), _names(self._rubric_ids), self._has_room()
        )
        return orchestrator_pb2.OrchestratorServiceGetCapabilitiesResponse(
            language_codes=language_codes, rubric_ids=rubric_ids, has_room=has_room
        )


async def _names(ask: AskNames) -> tuple[str, ...]:
    try:
        return await ask()
    except InterviewError:
        return ()
