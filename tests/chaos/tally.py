"""Counts what must be equal and what must be zero, from what lies in the store and in the stages' notes."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jsonschema

from chassis.digests import DOCUMENT_DIGEST
from tests.folders import ROOT

SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WRITING_TIMES = ("finished_at", "processing_time", "processed_at", DOCUMENT_DIGEST)
"""The digest is of the document, its times with it."""
SETTLE_S = 0.3
"""A stage's call that begins so shortly after its output was stored was on its way before."""


@dataclass
class Row:
    """One scenario's line of the summary."""

    scenario: str
    accepted: int = 0
    finished: int = 0
    completed: int = 0
    lost: int = 0
    doubled: int = 0
    takeover_s: float | None = None
    return_s: float | None = None
    waited_s: float | None = None
    """How long those who are quick waited beside slow ones."""

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)


def without_times(value: Any) -> Any:
    """Return a document without the times of its writing.

    A process that is killed between writing it and noting that it did so writes the same again.
    """
    if isinstance(value, dict):
        return {key: without_times(of) for key, of in value.items() if key not in WRITING_TIMES}
    return [without_times(of) for of in value] if isinstance(value, list) else value


class Results:
    """Watches the result documents as they come: each session has one.

    Args:
        store: The media store's folder.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._seen: dict[str, set[str]] = {}
        self._files: dict[Path, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self._look()

    def _look(self) -> None:
        for path in self._store.glob("sessions/*/result.json"):
            try:
                # A document is put in its place whole, so another one is another file.
                about = path.stat()
                if self._files.get(path) == (about.st_ino, about.st_mtime_ns):
                    continue
                document = json.loads(path.read_bytes())
            except OSError:
                continue
            self._files[path] = (about.st_ino, about.st_mtime_ns)
            self._seen.setdefault(path.parent.name, set()).add(
                json.dumps(without_times(document), sort_keys=True)
            )

    def written(self) -> dict[str, int]:
        """Return how many documents each session had, and stop watching."""
        self._stop.set()
        self._thread.join()
        self._look()
        return {session_id: len(of) for session_id, of in self._seen.items()}


def check_documents(store: Path, session_ids: list[str]) -> None:
    """Check that every document is there and whole."""
    for session_id in session_ids:
        document = json.loads((store / "sessions" / session_id / "result.json").read_text(encoding="utf-8"))
        VALIDATOR.validate(document)


def repeated(store: Path, notes: list[list[str]]) -> list[str]:
    """Return the calls of stages that began although their output was there: `stage session`."""
    stored: dict[tuple[str, str], float] = {}
    for path in store.glob("sessions/*/outputs/*/*.pb"):
        stored[path.name.partition("-")[0], path.parts[-4]] = path.stat().st_mtime
    return [
        f"{stage} {session_id}"
        for sign_stage, session_id, time_s in notes
        if (stage := sign_stage[1:])
        and sign_stage[0] == "+"
        # The translator is called once a language, and its output comes after the last.
        and float(time_s) > stored.get((stage, session_id), float("inf")) + SETTLE_S
    ]


def orphans(store: Path, session_ids: set[str]) -> list[str]:
    """Return the files of the store that belong to no accepted session, or that no session should have."""
    found = []
    outputs: Counter[str] = Counter()
    for path in store.rglob("*"):
        if not path.is_file():
            continue
        key = path.relative_to(store).as_posix()
        parts = key.split("/")
        if parts[0] != "sessions":
            continue
        if "#" in path.name:  # A part of a write that was killed. No reader sees it, and a sweep takes it.
            continue
        if parts[1] not in session_ids:
            found.append(key)
        if path.suffix == ".pb":
            outputs["/".join(parts[:4]) + "/" + path.name.partition("-")[0]] += 1
    return found + [f"{key} {count} times" for key, count in outputs.items() if count > 1]


def read_notes(files: list[Path]) -> list[list[str]]:
    """Return what the stages noted: sign and stage, session, time."""
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    return [line.split() for line in lines]
