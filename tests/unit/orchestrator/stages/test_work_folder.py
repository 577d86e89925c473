"""A full disk under work is said, and nothing else is taken for one."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from chassis.errors import InterviewError, UnavailableError
from chassis.full_disk import folder_full
from orchestrator.stages.troubles import is_away
from orchestrator.stages.work_folder import has_room, work_folder


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_during_the_work_is_said(tmp_path: Path, number: int) -> None:
    with pytest.raises(UnavailableError) as caught, work_folder(tmp_path) as folder:
        (folder / "recording").write_bytes(b"a face")
        raise OSError(number, "full")

    assert caught.value.reason == "WORK_FOLDER_FULL"
    assert list(tmp_path.iterdir()) == []


def test_a_copy_from_the_store_for_which_there_is_no_room_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught, work_folder(tmp_path):
        raise UnavailableError("full", reason="STORE_FULL") from OSError(errno.ENOSPC, "full")

    assert caught.value.reason == "WORK_FOLDER_FULL"


def test_a_full_disk_is_waited_for_and_costs_no_attempt() -> None:
    assert is_away(folder_full())
    assert folder_full().retry_after_s


def test_there_is_room_again_where_the_largest_work_fits_or_half_of_a_small_disk_is_free(
    tmp_path: Path,
) -> None:
    usage = shutil.disk_usage(tmp_path)

    assert has_room(tmp_path, 1)
    assert has_room(None, 1)
    assert has_room(tmp_path, usage.total * 2) is (usage.free >= usage.total // 2)


def test_other_troubles_keep_their_own_words(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), work_folder(tmp_path):
        raise PermissionError(errno.EACCES, "no")
    with pytest.raises(InterviewError) as caught, work_folder(tmp_path):
        raise UnavailableError("away", reason="STORE_FULL")
    assert caught.value.reason == "STORE_FULL"
