"""A process that can't have a folder at its start ends with one record that names the setting to change."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from chassis.errors import PreconditionError
from chassis.media import MediaInbox
from chassis.start_folders import needed_folder
from orchestrator.durable.sqlite_file import prepare_sqlite
from tests.folders import ROOT

WRONG = {
    "ORCHESTRATOR_STORE_URL": "orchestrator",
    "ORCHESTRATOR_DATABASE_URL": "orchestrator",
    "ORCHESTRATOR_SPOOL_DIR": "orchestrator",
    "GATEWAY_STORE_URL": "gateway",
    "GATEWAY_SPOOL_DIR": "gateway",
    "VISION_MEDIA_URI_PREFIXES": "services.vision",
}
"""Each setting that names a folder, with the process that makes it. The other stages do as vision does."""


def last_record(
    command: Sequence[str], folder: Path, settings: dict[str, str]
) -> tuple[int, dict[str, object]]:
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}",
        "ORCHESTRATOR_STORE_URL": (folder / "store").as_uri(),
        "ORCHESTRATOR_DATABASE_URL": f"sqlite:///{folder / 'state.sqlite'}",
        "GATEWAY_STORE_URL": (folder / "store").as_uri(),
        "ORCHESTRATOR_PORT": "0",
        "GATEWAY_PORT": "0",
        "VISION_PORT": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "raceback" not in ended.stdout + ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])


def value_of(variable: str, folder: Path) -> str:
    if variable.endswith("_PREFIXES"):
        return json.dumps([f"{folder.as_uri()}/"])
    if variable.endswith("DATABASE_URL"):
        return f"sqlite:///{folder / 'state.sqlite'}"
    return folder.as_uri() if variable.endswith("_URL") else str(folder)


@pytest.mark.parametrize("variable", WRONG)
def test_a_folder_that_cant_be_made_is_told_with_the_setting_that_names_it(
    variable: str, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    folder = tmp_path / "taken" / "folder"

    status, record = last_record([WRONG[variable]], tmp_path, {variable: value_of(variable, folder)})

    assert status == 1
    assert record["level"] == "CRITICAL"
    assert str(record["message"]).startswith(f"FOLDER_UNUSABLE: {tmp_path / 'taken'}")
    assert str(record["message"]).endswith(f"in {variable}.")


def test_migrating_tells_it_too(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    url = f"sqlite:///{tmp_path / 'taken' / 'state.sqlite'}"

    command = ["orchestrator", "migrate", "--create"]
    status, record = last_record(command, tmp_path, {"ORCHESTRATOR_DATABASE_URL": url})

    assert status == 1
    assert str(record["message"]).startswith("FOLDER_UNUSABLE: ")


def test_a_place_for_models_that_cant_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    command = ["-m", "cli", "models", "fetch", "voice-encoder", "--to", str(tmp_path / "taken")]

    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode != 0
    assert "(FOLDER_UNUSABLE)" in ended.stderr
    assert "--to or INTERVIEW_MODELS_DIR" in ended.stderr


def test_a_machine_without_a_folder_for_temporary_files_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_is_writable() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none_is_writable)

    with pytest.raises(PreconditionError, match=r"another one in TMPDIR\.$") as told:
        MediaInbox(max_media_bytes=1, uri_prefixes=())

    assert told.value.reason == "FOLDER_UNUSABLE"


def test_a_database_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.mkdir()  # For root no file is read-only.

    with pytest.raises(PreconditionError, match="in ORCHESTRATOR_DATABASE_URL") as told:
        prepare_sqlite(f"sqlite:///{path}")

    assert told.value.reason == "FOLDER_UNUSABLE"


def test_another_trouble_of_a_database_is_told_as_it_is() -> None:
    with pytest.raises(sqlite3.OperationalError), needed_folder("ORCHESTRATOR_DATABASE_URL"):
        raise sqlite3.OperationalError("database is locked")
