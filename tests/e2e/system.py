"""The seven processes on this machine, as a client sees them from REST."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema

from cli.demo_processes import base_environment, plan_demo
from cli.processes import ProcessPlan, Supervisor
from tests.folders import ROOT

READY_TIMEOUT_S = 300
SESSION_TIMEOUT_S = 900
SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text(encoding="utf-8"))


class System:
    """The seven processes, seen from REST, and their folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self.folder = folder

    def upload(self, *recordings: Path, **form: Any) -> httpx.Response:
        files = [("videos", (path.name, path.read_bytes())) for path in recordings]
        form = {"questions": ["Why?"] * len(recordings), "candidate_name": "Test", "language": "en"} | form
        return self.http.post("/upload", files=files, data=form)

    def result_of(self, *recordings: Path) -> dict[str, Any]:
        """Submit recordings, wait for the session's end, check the document, delete the session."""
        accepted = self.upload(*recordings)
        assert accepted.status_code == 200, accepted.text
        session_id = accepted.json()["session_id"]
        deadline_s = time.monotonic() + SESSION_TIMEOUT_S
        while self.http.get(f"/status/{session_id}").json()["status"] not in ("completed", "failed"):
            assert time.monotonic() < deadline_s, "the session did not end"
            time.sleep(0.5)
        document: dict[str, Any] = self.http.get(f"/results/{session_id}").json()
        jsonschema.validate(document, SCHEMA)
        assert self.http.delete(f"/sessions/{session_id}").status_code in (200, 204)
        return document

    def left_on_disk(self) -> list[str]:
        """Return what is left of sessions. The mark of a deleted one stays (`store/deleted`)."""
        kept = (self.folder / "store" / "sessions", self.folder / "store" / "deleting", self.folder / "spool")
        return [
            str(path.relative_to(self.folder)) for root in kept for path in root.rglob("*") if path.is_file()
        ]


@contextmanager
def running_system(
    folder: Path,
    store_url: str | None = None,
    told: Mapping[str, str] | None = None,
    changed: Callable[[ProcessPlan], ProcessPlan] = lambda process: process,
) -> Iterator[System]:
    """Start the seven processes, and stop them.

    Args:
        folder: Of the database, the logs and what is received.
        store_url: The media store. None: in `folder`.
        told: More variables for every process.
        changed: Makes of each process what is started in its place.
    """
    for name in ("store", "spool", "logs"):
        (folder / name).mkdir()
    with Supervisor(folder / "logs") as supervisor:
        with one_start_at_a_time():
            plan = plan_demo(folder, {}, local_llm=False)
            processes = [_without_upload_limit(process) for process in plan.processes]
            if store_url is not None:
                processes = [_with_store(one, (folder / "store").as_uri(), store_url) for one in processes]
            supervisor.start(
                [changed(process) for process in processes], base_environment(os.environ) | dict(told or {})
            )
            supervisor.wait_ready(READY_TIMEOUT_S)
        system = System(plan.gateway_url, folder)
        with system.http:
            yield system
        supervisor.check_alive()


@contextmanager
def one_start_at_a_time() -> Iterator[None]:
    """Keep other workers of the tests from starting a system meanwhile.

    Ports are looked for before they are listened on. And seven processes that start are work for all cores.
    """
    path = ROOT / "build" / "system_starts.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _without_upload_limit(process: ProcessPlan) -> ProcessPlan:
    unlimited = {"GATEWAY_RATE_LIMIT_UPLOADS": ""} if process.name == "gateway" else {}
    return dataclasses.replace(process, environment={**process.environment, **unlimited})


def _with_store(process: ProcessPlan, folder_url: str, store_url: str) -> ProcessPlan:
    environment = {name: value.replace(folder_url, store_url) for name, value in process.environment.items()}
    return dataclasses.replace(process, environment=environment)
