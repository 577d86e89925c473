"""Results are written by the replica that a session belongs to: not by one that was frozen meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from orchestrator.durable.kept import version_key
from orchestrator.durable.steps import Finish, Request
from orchestrator.stages.outputs import FIRST_VERSION
from orchestrator.workflow import Records


def written_by_owner(finish: Finish, owns: Callable[[str], bool]) -> Finish:
    """Return what writes a result if the session, or the version, is still ours.

    Args:
        finish: Writes it.
        owns: Tells by the engine's name whether it is ours. It blocks.
    """

    async def finish_own(
        request: Request, records: Mapping[int, Records], create_time_s: float, version_id: int
    ) -> None:
        session_id = request.session_id
        name = session_id if version_id == FIRST_VERSION else version_key(session_id, version_id)
        if await asyncio.to_thread(owns, name):
            await finish(request, records, create_time_s, version_id)

    return finish_own
