"""Files are their user's only, and what older versions made is shut to others."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.private_files import keep_from_others, open_private
from tests.folders import ROOT


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_what_a_process_makes_is_its_users_only(tmp_path: Path) -> None:
    code = (
        "import subprocess; from pathlib import Path; from chassis.private_files import keep_files_private;"
        "keep_files_private(); Path('folder').mkdir(); Path('folder/file').touch();"
        "subprocess.run(['touch', 'of-a-child'])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, umask=0o022, check=True)

    assert mode(tmp_path / "folder") == "0o700"
    assert mode(tmp_path / "folder" / "file") == mode(tmp_path / "of-a-child") == "0o600"


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o755, "0o750"), (0o2775, "0o2770"), (0o700, "0o700"), (0o1777, "0o1777")],
    ids=["everybody's", "a group's volume", "private", "everybody's by design"],
)
def test_others_lose_what_they_had_and_a_group_keeps_it(tmp_path: Path, before: int, after: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(before)

    keep_from_others(folder)

    assert mode(folder) == after


def test_a_log_is_its_users_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with open(tmp_path / "a.log", "ab", opener=open_private) as log:
            log.write(b"line")
    finally:
        os.umask(before)

    assert mode(tmp_path / "a.log") == "0o600"


def test_every_process_begins_so() -> None:
    mains = [
        path
        for room in ("gateway", "orchestrator", "services")
        for path in (ROOT / room).rglob("__main__.py")
    ]

    begins = {
        str(path.relative_to(ROOT)): "chassis.server import" in text or "keep_files_private()" in text
        for path in mains
        for text in [path.read_text(encoding="utf-8")]
    }
    assert len(begins) >= 7
    assert all(begins.values()), begins
