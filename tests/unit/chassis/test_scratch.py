"""Folders for recordings at work go with their block, and those of a killed process at the next start."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from chassis.scratch import PREFIX, remove_left_folders, scratch_folder

HOLDS_ONE = """
import sys, time
from pathlib import Path
from chassis.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "recording").write_bytes(b"a face")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_folder_is_gone_with_its_block(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "recording").write_bytes(b"a face")
        assert folder.parent == tmp_path

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_is_at_work_stays(tmp_path: Path) -> None:
    with (
        scratch_folder(tmp_path) as own,
        subprocess.Popen([sys.executable, "-c", HOLDS_ONE, str(tmp_path)], stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout is not None and other.stdout.readline()
        assert remove_left_folders(tmp_path) == 0
        other.send_signal(signal.SIGKILL)
        other.wait()

        assert len(list(tmp_path.iterdir())) == 2
        assert remove_left_folders(tmp_path) == 1
        assert list(tmp_path.iterdir()) == [own]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"kept")
    (tmp_path / f"{PREFIX}link").symlink_to(precious)
    (tmp_path / f"{PREFIX}file").write_bytes(b"kept")
    (tmp_path / "other").mkdir()

    assert remove_left_folders(tmp_path) == 0
    assert (precious / "file").exists()
    assert remove_left_folders(tmp_path / "not-there") == 0
