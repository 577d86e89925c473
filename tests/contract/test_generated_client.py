"""A client that is generated from the API's description walks a session: upload, events, results, media."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.api_examples import FinishingOrchestrator
from tests.folders import ROOT
from tests.gateway_bench import MP4, Bench, listening

GOLDEN = json.loads((ROOT / "tests" / "unit" / "orchestrator" / "result" / "golden.json").read_text())
PACKAGE = "generated_interview_client"
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

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("openapi_python_client") is None,
    reason="the generator is not installed: pip install openapi-python-client",
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, FinishingOrchestrator())


@pytest.fixture
def generated(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Generate the client's package into a folder, and make it importable."""
    (tmp_path / "openapi.json").write_text(json.dumps(bench.app.openapi()))
    (tmp_path / "told.json").write_text(json.dumps(TOLD))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", str(tmp_path / "openapi.json"), "--config", str(tmp_path / "told.json")]
    command += ["--output-path", str(tmp_path / PACKAGE)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )
    assert "Warning" not in done.stdout + done.stderr, done.stdout
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / PACKAGE
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def part(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


def alike(document: dict[str, Any]) -> Any:
    """Return a document with one way of writing UTC: the client reads times, and writes them its own way."""
    return json.loads(json.dumps(document).replace("+00:00", "Z"))


def client_of(url: str) -> Any:
    return part("client").AuthenticatedClient(
        base_url=url, token="a-key", prefix="", auth_header_name="X-API-Key"
    )


def answered(operation: str, client: Any, *path: Any, **told: Any) -> Any:
    """Call an operation of the generated client, and return what it made of the answer."""
    reply = part(f"api.{operation}").sync_detailed(*path, client=client, **told)
    assert reply.status_code == 200, reply.content
    assert reply.parsed is not None
    return reply.parsed


def test_a_generated_client_walks_a_session_from_its_upload_to_its_end(bench: Bench, generated: Path) -> None:
    assert generated.is_dir()
    with listening(bench.app) as url, client_of(url) as client:
        models, video = part("models"), part("types").File(MP4, "answer.mp4", "video/mp4")
        body = models.UploadBody(videos=[video], questions=["Why?"], candidate_name="A", language="en")
        session_id = answered("upload.upload", client, body=body).session_id
        bench.orchestrator.finish(session_id, GOLDEN)

        assert answered("sessions.status", client, session_id).status == "completed"
        assert "event: session" in answered("sessions.events", client, session_id)
        assert alike(answered("sessions.results", client, session_id).to_dict()) == alike(GOLDEN)
        assert answered("sessions.media", client, session_id, 1).payload.read() == MP4
        listed = answered("sessions.list_sessions", client)
        assert [session.session_id for session in listed.sessions] == [session_id]
        assert answered("upload.languages", client).languages
        assert answered("sessions.delete", client, session_id).success

        gone = part("api.sessions.status").sync_detailed(session_id, client=client)
    assert (gone.status_code, gone.parsed.code) == (404, "SESSION_NOT_FOUND")
