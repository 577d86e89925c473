"""After DELETE nothing of a session can be found: on disk, in the database, in logs, caches or open files."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import SESSION_TIMEOUT_S, System, running_system
from tests.folders import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

NAME = "Xanthippe Quetzalcoatl"
QUESTION = "Why zymurgy, of all things?"
FILE_NAME = "vexing-waltz.mp4"
RECORDING = ROOT / "demo" / "answer-1.mp4"
SLICE_BYTES = 48
WORDS_COUNT = 6
SETTLED_S = 5.0
CACHES = (Path.home() / ".cache", Path("/dev/shm"))  # noqa: S108


@dataclass(frozen=True)
class Traces:
    """What would tell that a session was there."""

    session_id: str
    texts: dict[str, bytes]

    def found_in(self, data: bytes) -> set[str]:
        return {name for name, text in self.texts.items() if text in data}


@pytest.fixture(scope="module")
def begun_s() -> float:
    return time.time()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, begun_s: float) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    (folder / "work").mkdir()
    with running_system(folder, told={"TMPDIR": str(folder / "work")}) as system:
        yield system


def submit(system: System) -> str:
    files = [("videos", (FILE_NAME, RECORDING.read_bytes()))]
    form = {"questions": QUESTION, "candidate_name": NAME, "language": "en"}
    accepted = system.http.post("/upload", files=files, data=form)
    assert accepted.status_code == 200, accepted.text
    return str(accepted.json()["session_id"])


def until(system: System, session_id: str, reached: Any) -> dict[str, Any]:
    deadline_s = time.monotonic() + SESSION_TIMEOUT_S
    while not reached(status := system.http.get(f"/status/{session_id}").json()):
        assert time.monotonic() < deadline_s, status
        time.sleep(0.2)
    return dict(status)


def slice_of(path: Path) -> bytes:
    """Return bytes from the middle of a file: of no header that other files have too."""
    data = path.read_bytes()
    found = data[len(data) // 2 :][:SLICE_BYTES]
    assert len(set(found)) > SLICE_BYTES // 4, "that is not distinctive"
    return found


def traces_of(system: System, session_id: str, spoken: str) -> Traces:
    (sound,) = (system.folder / "store" / "sessions" / session_id / "outputs" / "1").glob("extract-*.wav")
    texts = {
        "name": NAME.encode(),
        "question": QUESTION.encode(),
        "file name": FILE_NAME.encode(),
        "session id": session_id.encode(),
        "recording": slice_of(RECORDING),
        "sound": slice_of(sound),
    }
    if spoken:
        texts["sentence"] = " ".join(spoken.split()[2 : 2 + WORDS_COUNT]).encode()
    assert all(len(text) > 8 for text in texts.values())
    return Traces(session_id, texts)


def files_of(system: System, begun_s: float) -> Iterator[Path]:
    """All that the processes may have written."""
    yield from (path for path in system.folder.rglob("*") if path.is_file())
    for cache in CACHES:
        for path in cache.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= begun_s:
                    yield path
            except OSError:
                continue


def open_but_deleted(system: System) -> Iterator[Path]:
    """Files that are gone from their folders, and that a process still holds."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(system.folder).encode() not in (process / "environ").read_bytes():
                continue
            for opened in (process / "fd").iterdir():
                if str(opened.readlink()).endswith("(deleted)") and stat.S_ISREG(opened.stat().st_mode):
                    yield opened
        except OSError:
            continue


def found(system: System, traces: Traces, begun_s: float) -> dict[str, set[str]]:
    where = {}
    for path in (*files_of(system, begun_s), *open_but_deleted(system)):
        try:
            names = traces.found_in(path.read_bytes())
        except OSError:  # Gone meanwhile.
            continue
        if path.suffix == ".log":
            names.discard("session id")  # A log names sessions by their ids, and by nothing else.
        if names:
            where[str(path)] = names
    return where


def test_a_deleted_session_can_be_found_nowhere(system: System, begun_s: float) -> None:
    session_id = submit(system)
    until(system, session_id, lambda status: status["status"] == "completed")
    document = system.http.get(f"/results/{session_id}").json()
    traces = traces_of(system, session_id, document["results"][0]["transkripsi_en"])
    before = found(system, traces, begun_s)
    assert set().union(*before.values()) == set(traces.texts), "the search finds what is there"
    assert not any(path.endswith(".log") for path in before), "a log tells more than an id"

    receipt = system.http.delete(f"/sessions/{session_id}").json()["receipt"]

    assert found(system, traces, begun_s) == {}
    assert {"media", "audio", "transcript", "output", "result", "state"} == {
        artifact["kind"] for artifact in receipt["artifacts"]
    }
    assert system.http.get(f"/results/{session_id}").status_code == 404
    assert system.http.get(f"/media/{session_id}/1").status_code == 404


def test_a_session_that_is_deleted_at_work_can_be_found_nowhere(system: System, begun_s: float) -> None:
    session_id = submit(system)
    outputs = system.folder / "store" / "sessions" / session_id / "outputs" / "1"
    until(system, session_id, lambda _: any(outputs.glob("extract-*.wav")))
    traces = traces_of(system, session_id, "")
    assert found(system, traces, begun_s)

    deadline_s = time.monotonic() + SESSION_TIMEOUT_S
    while system.http.delete(f"/sessions/{session_id}").status_code == 503:
        assert time.monotonic() < deadline_s
        time.sleep(1)

    # A stage that is told to stop may hold its copy for a moment more.
    while left := found(system, traces, begun_s):
        assert time.monotonic() < deadline_s, left
        time.sleep(0.5)
    time.sleep(SETTLED_S)
    assert found(system, traces, begun_s) == {}, "it came back"
