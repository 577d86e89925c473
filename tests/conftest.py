"""Fixtures that every tier shares."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.folders import ROOT
from tests.grpc_loop import LoopOfTests
from tests.late_grammar import put_off_the_grammar
from tests.postgres_server import GivenServer, any_server

put_off_the_grammar()  # Before any test module is imported.


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Async tests run on asyncio, as the processes do."""
    return "asyncio", {"loop_factory": LoopOfTests}


@pytest.fixture(scope="session", autouse=True)
def interrupts_heeded() -> Iterator[None]:
    """Undo an ignored SIGINT, which a shell's background job inherits and hands on to what tests start."""
    inherited = signal.getsignal(signal.SIGINT)
    if inherited is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of the real recordings (`INTERVIEW_RECORDINGS_DIR`); the test is skipped without it."""
    folder = Path(os.environ.get("INTERVIEW_RECORDINGS_DIR", str(ROOT.parent / "shared" / "media")))
    if not (folder / "MANIFEST.md").exists():
        pytest.skip("the real recordings are not here: set INTERVIEW_RECORDINGS_DIR to their folder")
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder of the fetched model files."""
    from chassis.settings import default_models_dir

    return default_models_dir()


@pytest.fixture(scope="session")
def postgres() -> Iterator[GivenServer]:
    """A real Postgres; the test is skipped where there is none."""
    with any_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: GivenServer) -> str:
    """The URL of an empty database of its own."""
    return postgres.create_database()
