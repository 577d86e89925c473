"""The audit log through real processes: a gateway with keys, an orchestrator that is killed, the command."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.audit_chain import hash_of_session
from cli.app import run
from cli.environment import Environment
from tests.e2e.orchestrator_process import free_port, orchestrator, process
from tests.fakes.recording import make_recording
from tests.folders import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

PATIENCE_S = 120
COUNT = 6


class Site:
    """A gateway with keys in front of an orchestrator whose stages are fakes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.keys_file = folder / "keys.json"
        self.key = self.interview("keys", "create", "ana", "--scope", "admin").stdout.strip()
        fakes = stack.enter_context(process("-m", "tests.fakes.servers", str(folder / "counts"), "0.1"))
        assert fakes.stdout is not None
        self.stages = json.loads(fakes.stdout.readline())["address"]
        self.orchestrator_port, port = free_port(), free_port()
        self.orchestrator = stack.enter_context(self.started())
        self.url = f"http://127.0.0.1:{port}"
        stack.enter_context(
            process(
                "-m",
                "gateway",
                GATEWAY_PORT=str(port),
                GATEWAY_STORE_URL=(folder / "store").as_uri(),
                GATEWAY_ORCHESTRATOR_ADDRESS=f"127.0.0.1:{self.orchestrator_port}",
                GATEWAY_RATE_LIMIT_UPLOADS="",
                GATEWAY_KEYS_FILE=str(self.keys_file),
                GATEWAY_LOG_LEVEL="ERROR",
            )
        )
        headers = {"X-API-Key": self.key}
        self.http = stack.enter_context(httpx.Client(base_url=self.url, timeout=60, headers=headers))
        self.until(lambda: self.http.get("/readyz").status_code == 200)

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        with orchestrator(self.folder, self.stages, self.orchestrator_port) as child:
            yield child

    def until(self, reached: Any) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                if reached():
                    return
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline_s
            time.sleep(0.1)

    def interview(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a process of its own."""
        told = {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}", "GATEWAY_KEYS_FILE": str(self.keys_file)}
        if hasattr(self, "url"):
            told |= {"INTERVIEW_GATEWAY_URL": self.url, "INTERVIEW_API_KEY": self.key}
        return subprocess.run(
            [sys.executable, "-m", "cli.app", *arguments],
            cwd=self.folder,
            env=os.environ | told,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def uploaded(self, recording: bytes) -> str:
        files = [("videos", ("a.mp4", recording))]
        form = {"questions": "Why?", "candidate_name": "Xanthippe", "language": "en"}
        reply = self.http.post("/upload", files=files, data=form)
        assert reply.status_code == 200, reply.text
        session_id = str(reply.json()["session_id"])
        self.until(lambda: self.http.get(f"/status/{session_id}").json().get("status") == "completed")
        return session_id

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.interview("audit", "export").stdout.splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def test_what_was_done_is_in_the_log_and_a_kill_leaves_it_whole(site: Site, tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "a.mp4", seconds=1.0).read_bytes()
    session_id = site.uploaded(recording)
    assert site.http.get(f"/media/{session_id}/1").content == recording
    assert site.http.get(f"/results/{session_id}").status_code == 200
    for number in range(COUNT):
        wrong = httpx.get(f"{site.url}/sessions", headers={"X-API-Key": f"guess-{number}"})
        assert wrong.status_code == 403
    wanted = {"keys.read", "key.refused", "media.read", "result.read", "session.accept"}
    site.until(lambda: wanted <= {record["action"] for record in site.records()})
    head = site.interview("audit", "head").stdout.strip()

    site.orchestrator.kill()
    site.orchestrator.wait()
    with site.started():
        site.until(lambda: site.http.get("/readyz").status_code == 200)
        assert site.interview("keys", "create", "ben").returncode == 0
        site.until(lambda: "keys.changed" in {record["action"] for record in site.records()})
        assert site.http.delete(f"/sessions/{session_id}").status_code == 200
        verified = site.interview("audit", "verify", "--head", head)
        export = tmp_path / "audit.jsonl"
        assert site.interview("audit", "export", "--to", str(export)).returncode == 0
        found = [json.loads(line) for line in export.read_text().splitlines()]

    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "whole" in verified.stderr
    of_session = {record["action"] for record in found if record["session"] == hash_of_session(session_id)}
    assert of_session == {"session.accept", "media.read", "result.read", "session.delete"}
    whos = {record["who"] for record in found if record["action"].startswith(("session", "media", "result"))}
    assert whos == {"key:ana"}
    assert sum(record["count"] for record in found if record["action"] == "key.refused") <= COUNT
    for trace in (session_id, "Xanthippe", site.key):
        assert trace not in export.read_text()

    assert run(["audit", "verify", "--file", str(export), "--head", head], Environment()) == 0
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            database.execute("DELETE FROM orch_audit WHERE seq = 2")
        database.execute("DROP TRIGGER orch_audit_delete")
        database.execute("DELETE FROM orch_audit WHERE seq = 2")
        database.commit()
    with site.started():
        site.until(lambda: site.http.get("/readyz").status_code == 200)
        cut = site.interview("audit", "verify")
    assert (cut.returncode, cut.stdout.split("\t")[:2]) == (1, ["2", "missing"]), cut.stdout
