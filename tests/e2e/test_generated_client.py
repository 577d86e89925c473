"""A client that is generated from the API's description walks a session: upload, events, results, media.

The generator wants other versions of packages than we do, so it lives in an environment of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.sessions import SessionState, SessionView
from tests.api_examples import FinishingOrchestrator
from tests.folders import ROOT
from tests.gateway_bench import MP4, Bench, listening
from tests.generated_walk import PACKAGE

pytestmark = pytest.mark.e2e

GENERATOR = "openapi-python-client==0.29.1"
INSTALL_S, GENERATE_S, WALK_S = 300, 120, 120
NOT_THERE = re.compile(r"from versions: none|ConnectionError|ConnectTimeout|NewConnectionError|ReadTimeout")
"""What pip says where no package index can be reached, or has no such package."""
GOLDEN = json.loads((ROOT / "tests" / "unit" / "orchestrator" / "result" / "golden.json").read_text())
TOLD = {
    "post_hooks": [],
    "package_name_override": PACKAGE,
    # The generator knows few media types. These are read like those that it knows.
    "content_type_overrides": {
        "video/mp4": "application/octet-stream",
        "text/event-stream": "text/plain",
        "application/jsonl": "text/plain",
        "application/schema+json": "application/json",
    },
}


class CompletingOrchestrator(FinishingOrchestrator):
    """Completes every session at once, with a result."""

    def set(self, session: SessionView) -> None:
        if session.state is SessionState.QUEUED:
            self.events.setdefault(session.session_id, [])
            self._complete(session)
        else:
            super().set(session)

    def _complete(self, session: SessionView) -> None:
        super(FinishingOrchestrator, self).set(session)
        self.finish(session.session_id, GOLDEN)


def run(command: list[str], timeout_s: float, **told: Any) -> subprocess.CompletedProcess[str]:
    """Run a command without our own packages in sight."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=timeout_s, env=environment, **told
    )


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python that has the generator, made once a test session."""
    folder = tmp_path_factory.mktemp("generator")
    made = run([sys.executable, "-m", "venv", str(folder)], INSTALL_S)
    assert made.returncode == 0, made.stderr
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "30", GENERATOR]
    try:
        done = run(install, INSTALL_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{GENERATOR} can't be installed within {INSTALL_S} s")
    if NOT_THERE.search(done.stderr):
        pytest.skip(f"no package index has {GENERATOR} for us")
    assert done.returncode == 0, done.stderr
    return python


def alike(document: dict[str, Any]) -> Any:
    """Return a document with one way of writing UTC: the client reads times, and writes them its own way."""
    return json.loads(json.dumps(document).replace("+00:00", "Z"))


@pytest.mark.timeout(INSTALL_S + GENERATE_S + WALK_S)
def test_a_generated_client_walks_a_session_from_its_upload_to_its_end(
    generator: Path, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, CompletingOrchestrator())
    (tmp_path / "openapi.json").write_text(json.dumps(bench.app.openapi()))
    (tmp_path / "told.json").write_text(json.dumps(TOLD))
    (tmp_path / "answer.mp4").write_bytes(MP4)
    generate = [str(generator), "-m", "openapi_python_client", "generate", "--meta", "none"]
    generate += ["--path", "openapi.json", "--config", "told.json", "--output-path", PACKAGE]
    generated = run(generate, GENERATE_S, cwd=tmp_path)
    assert generated.returncode == 0, generated.stdout + generated.stderr
    assert "Warning" not in generated.stdout + generated.stderr, generated.stdout

    with listening(bench.app) as url:
        walk = [str(generator), str(ROOT / "tests" / "generated_walk.py"), str(tmp_path), url]
        walked = run([*walk, str(tmp_path / "answer.mp4")], WALK_S)

    assert walked.returncode == 0, walked.stdout + walked.stderr
    found = json.loads(walked.stdout)
    assert found["status"] == "completed"
    assert "event: session" in found["events"]
    assert alike(found["result"]) == alike(GOLDEN)
    assert found["recording"]
    assert found["listed"] == [found["session_id"]]
    assert found["languages"]
    assert found["deleted"]
    assert found["gone"] == [404, "SESSION_NOT_FOUND"]
