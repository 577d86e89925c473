"""A real orchestrator, started by somebody whose files everybody may read, makes none that others may."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

from tests.folders import ROOT

PATIENCE_S = 120


def test_database_and_store_are_not_for_others(tmp_path: Path) -> None:
    old = tmp_path / "state.sqlite"
    old.touch()
    (tmp_path / "store").mkdir()
    for made_before in (old, tmp_path / "store"):
        made_before.chmod(0o755)
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}",
        "ORCHESTRATOR_PORT": "0",
        "ORCHESTRATOR_STORE_URL": (tmp_path / "store").as_uri(),
        "ORCHESTRATOR_DATABASE_URL": f"sqlite:///{old}",
        "ORCHESTRATOR_SPOOL_DIR": str(tmp_path / "spool"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator"],
        cwd=ROOT,
        env=environment,
        umask=0o022,
        text=True,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        deadline_s = time.monotonic() + PATIENCE_S
        while json.loads(process.stdout.readline())["message"] != "serving":
            assert time.monotonic() < deadline_s
        modes = {path.name: path.stat().st_mode for path in tmp_path.iterdir()}
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    assert {"state.sqlite", "state.sqlite-wal", "state.sqlite.lock", "store", "spool"} <= set(modes)
    assert {name for name, mode in modes.items() if mode & stat.S_IRWXO} == set()
