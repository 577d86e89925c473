"""A process whose address is taken ends at once, and its last line names the setting to change."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folders import ROOT

STARTS = {
    "gateway": "GATEWAY",
    "orchestrator": "ORCHESTRATOR",
    "services.translator": "TRANSLATOR",
    "services.assessor": "ASSESSOR",
}
"""Those of the processes that start without a model. The other stages start as these two do."""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


def last_record(module: str, folder: Path, **settings: str) -> tuple[int, dict[str, object]]:
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}",
        "ORCHESTRATOR_STORE_URL": (folder / "store").as_uri(),
        "ORCHESTRATOR_DATABASE_URL": f"sqlite:///{folder / 'state.sqlite'}",
        "GATEWAY_STORE_URL": (folder / "store").as_uri(),
    }
    ended = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["PORT", "METRICS_PORT"])
@pytest.mark.parametrize("module", STARTS)
def test_a_taken_address_is_told_with_the_setting_that_changes_it(
    module: str, kind: str, taken_port: int, tmp_path: Path
) -> None:
    variable = f"{STARTS[module]}_{kind}"
    port_settings = {f"{STARTS[module]}_PORT": "0"} | {variable: str(taken_port)}

    status, record = last_record(module, tmp_path, **port_settings)

    assert status == 1
    assert record["level"] == "CRITICAL"
    assert str(record["message"]).startswith("ADDRESS_UNAVAILABLE: ")
    assert f"127.0.0.1:{taken_port}" in str(record["message"])
    assert f"another {variable} " in str(record["message"])
