"""A second orchestrator that is started by mistake does nothing, and says what to do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from chassis.errors import PreconditionError
from chassis.server import start_server
from chassis.settings import ServiceSettings
from orchestrator.durable.sqlite_file import DatabaseLock
from tests.folders import ROOT
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio


def start_another(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}",
        "ORCHESTRATOR_PORT": str(port),
        "ORCHESTRATOR_STORE_URL": (folder / "store").as_uri(),
        "ORCHESTRATOR_DATABASE_URL": f"sqlite:///{folder / 'state.sqlite'}",
    }
    command = [sys.executable, "-m", "orchestrator"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("same_port", [True, False], ids=["the same port", "another port"])
async def test_a_second_orchestrator_on_a_database_ends_at_once_and_says_why(
    tmp_path: Path, same_port: bool
) -> None:
    async with running(tmp_path) as world:
        world.stages.seconds = 3
        session_id = await world.create()
        await world.until_running(session_id, "transcribe")
        port = int(world.address.rpartition(":")[2]) if same_port else 0

        ended = await asyncio.to_thread(start_another, tmp_path, port)
        world.stages.seconds = 0  # the other stages may be quick again
        await world.until(session_id, COMPLETED)

    assert ended.returncode == 1
    assert ("ADDRESS_UNAVAILABLE" if same_port else "DATABASE_IN_USE") in ended.stdout.splitlines()[-1]
    assert "Traceback" not in ended.stdout + ended.stderr
    assert set(world.stages.calls.values()) == {1}


async def test_nothing_is_composed_where_the_address_is_taken() -> None:
    composed: list[grpc.aio.Server] = []
    first, _, port = await start_server(ServiceSettings(port=0), "a.B", lambda _: None)

    with pytest.raises(PreconditionError, match="taken"):
        await start_server(ServiceSettings(port=port), "a.B", composed.append)

    assert composed == []
    await first.stop(None)


def test_a_database_is_one_processs_until_that_lets_go(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "state.sqlite")
    first = DatabaseLock(url)
    for other in (url, f"sqlite:///{tmp_path / 'link.sqlite'}"):
        with pytest.raises(PreconditionError, match="Stop it first"):
            DatabaseLock(other)

    first.release()

    DatabaseLock(url).release()
