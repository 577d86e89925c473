"""A recording that arrives slowly through all seven processes gives what the same file gives at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.real_system import differences, skip_without_models
from tests.e2e.system import SESSION_TIMEOUT_S, System, running_system
from tests.folders import ROOT, files_below
from tests.slow_sending import as_webm, remuxed, send_slowly

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

CLIP = ROOT / "demo" / "answer-1.mp4"
SEND_S = 18.0
"""1.5 times as fast as the clip is long."""
MEASURED_IN_TIME = ("real_time_factor", "run_s", "queue_s")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    skip_without_models()
    told = {"GATEWAY_EARLY_AFTER_S": "1"}
    with running_system(tmp_path_factory.mktemp("system"), told=told) as made:
        yield made


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    return {
        "webm": as_webm(CLIP, folder / "a.webm"),
        "index first": remuxed(CLIP, folder / "first.mp4", movflags="faststart"),
        "index last": remuxed(CLIP, folder / "last.mp4"),
    }


def result(system: System, session_id: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + SESSION_TIMEOUT_S
    while system.http.get(f"/status/{session_id}").json()["status"] not in ("completed", "failed"):
        assert time.monotonic() < deadline_s, "the session did not end"
        time.sleep(0.2)
    document: dict[str, Any] = system.http.get(f"/results/{session_id}").json()
    return document


def used_early(system: System) -> int:
    return (system.folder / "logs" / "orchestrator.log").read_text().count("early work is used")


@pytest.mark.parametrize("order", ["webm", "index first", "index last"])
def test_a_recording_that_arrives_slowly_gives_what_the_whole_file_gives(
    system: System, recordings: dict[str, Path], order: str
) -> None:
    recording = recordings[order]
    at_once = result(system, send_slowly(system.http, recording, 0.0))
    before = used_early(system)
    slowly = result(system, send_slowly(system.http, recording, SEND_S))

    assert slowly["status"] == "completed"
    assert slowly["results"][0]["transcript"]["segments"]
    different = differences(at_once, slowly)
    assert [line for line in different if not any(name in line for name in MEASURED_IN_TIME)] == []
    # With an index at the end there is nothing to be done early.
    assert used_early(system) - before == (0 if order == "index last" else 3)
    assert files_below(system.folder / "store" / "arriving") == []
