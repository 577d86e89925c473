"""A session that waits while its process is started again and again is not given up for it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.world import COMPLETED, FAILED, running

pytestmark = pytest.mark.anyio

RESTART_COUNT = 300
"""A day of a process that dies and is started again after five minutes, as Kubernetes does it."""


def restarted(database: Path) -> None:
    """Have it look as if the process had been started so often with the session in mid-work."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE workflow_status SET recovery_attempts = ?", (RESTART_COUNT,))
    connection.close()


async def test_a_session_outlasts_a_day_of_restarts(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.stages.seconds = 30
        session_id = await world.create()
        await world.until_running(session_id, "transcribe")
    restarted(tmp_path / "state.sqlite")
    async with running(tmp_path) as world:
        session = await world.until(session_id, COMPLETED, FAILED)

    assert session.state == COMPLETED, session
