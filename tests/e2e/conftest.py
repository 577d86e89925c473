"""One running system for the modules that only send recordings through it: seven starts take their time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.system import System, running_system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run the seven processes as they are by default. A test leaves no session in it, and changes nothing.

    A module that sets them up its own way, or stops one, has its own `system`.
    """
    with running_system(tmp_path_factory.mktemp("system")) as system:
        yield system
