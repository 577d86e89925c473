"""The media store is full, or takes no writes, in the middle of the work."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.databases import DATABASES, database
from tests.chaos.system import System, system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

SIZE_BYTES = 8 << 20
TROUBLE_S = 6.0
SESSION_COUNT = 6


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@contextmanager
def small_store(folder: Path) -> Iterator[None]:
    """Give a scenario a store with a file system of its own."""
    store = folder / "store"
    store.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(store)):
        pytest.skip("no file system can be mounted here: a full store needs one of its own")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(store)], capture_output=True, check=False)


@contextmanager
def full(made: System) -> Iterator[None]:
    filler = made.store / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
        yield
    filler.unlink()


@contextmanager
def read_only(made: System) -> Iterator[None]:
    assert mount("-o", "remount,ro", str(made.store))
    yield
    assert mount("-o", "remount,rw", str(made.store))


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize(("name", "trouble"), [("full", full), ("read-only", read_only)], ids=["full", "ro"])
def test_a_store_that_takes_no_writes_for_a_while_loses_no_session(
    tmp_path: Path,
    row: Callable[[str], Row],
    name: str,
    trouble: Callable[[System], object],
    kind: str,
    request: pytest.FixtureRequest,
) -> None:
    url, scenario = database(kind, request), row(f"{kind}: store {name} for {TROUBLE_S:.0f} s")
    with small_store(tmp_path), system(tmp_path, scenario, url) as made:
        made.orchestrator("local").up()
        made.submit(SESSION_COUNT)
        made.wait_noted(2)
        with trouble(made):  # type: ignore[attr-defined]
            time.sleep(TROUBLE_S)
        made.submit(1)
        made.account(all_completed=False)
