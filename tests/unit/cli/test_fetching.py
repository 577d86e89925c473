"""Model files come whole or not at all, from a hub that breaks off or changes its mind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chassis.errors import UnavailableError
from chassis.models import catalogue, folder_of, intact_folder
from cli.fetching import hub as downloading
from cli.fetching.fetch import fetch, fetch_entry
from tests.hub_server import CONTENT, Hub, begun, entry_with, left_over, model_file

OTHER = CONTENT[::-1]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.cuts_bytes = [300_000, 200_000]
    entry = entry_with(CONTENT)

    fetch_entry(entry, tmp_path)

    assert model_file(entry, tmp_path).read_bytes() == CONTENT
    assert hub.ranges == ["", "bytes=300000-", "bytes=500000-"]
    assert [headers.get("If-Range") for headers in hub.asked] == [None, '"first"', '"first"']
    assert left_over(entry, tmp_path) == []


def test_a_hub_that_gives_nothing_is_left_after_a_few_attempts(hub: Hub, tmp_path: Path) -> None:
    hub.cuts_bytes = [0] * 100

    with pytest.raises(UnavailableError, match="hub: _PassingError RemoteProtocolError"):
        fetch_entry(entry_with(CONTENT), tmp_path)

    assert len(hub.asked) == downloading.FRUITLESS_ATTEMPT_COUNT


def test_the_next_run_goes_on_with_what_a_killed_one_left(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    begun(entry, tmp_path, CONTENT[:700_000], '"first"')

    fetch_entry(entry, tmp_path)

    assert (hub.ranges, hub.statuses) == (["bytes=700000-"], [206])
    assert model_file(entry, tmp_path).read_bytes() == CONTENT
    assert left_over(entry, tmp_path) == []


def test_a_file_that_changed_on_the_hub_is_begun_anew(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    begun(entry, tmp_path, OTHER[:700_000], '"before"')

    fetch_entry(entry, tmp_path)

    assert (hub.ranges, hub.statuses) == (["bytes=700000-"], [200])
    assert model_file(entry, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_nothing_goes_on_by_an_etag_that_promises_nothing(hub: Hub, tmp_path: Path, etag: str) -> None:
    hub.etag, hub.cuts_bytes = etag, [300_000]

    fetch_entry(entry_with(CONTENT), tmp_path)

    assert hub.ranges == ["", ""]


def test_nothing_behind_the_end_means_that_all_is_there(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    begun(entry, tmp_path, CONTENT, '"first"')

    fetch_entry(entry, tmp_path)

    assert hub.statuses == [416]
    assert model_file(entry, tmp_path).read_bytes() == CONTENT


def test_a_beginning_that_is_longer_than_the_file_is_not_of_it(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    begun(entry, tmp_path, OTHER + b"more", '"first"')

    fetch_entry(entry, tmp_path)

    assert hub.statuses == [416, 200]
    assert model_file(entry, tmp_path).read_bytes() == CONTENT


def test_a_whole_file_with_a_wrong_digest_is_not_kept(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    begun(entry, tmp_path, OTHER, '"first"')

    with pytest.raises(UnavailableError, match="another file than the catalogue pins"):
        fetch_entry(entry, tmp_path)
    fetch_entry(entry, tmp_path)

    assert model_file(entry, tmp_path).read_bytes() == CONTENT, "the second run begins anew"


def test_a_revision_that_has_moved_is_told_and_not_taken(hub: Hub, tmp_path: Path) -> None:
    hub.commit = "f" * 40
    entry = entry_with(CONTENT)

    with pytest.raises(UnavailableError, match="answers with revision ffffffffffff, not 000000000000"):
        fetch_entry(entry, tmp_path)

    assert not model_file(entry, tmp_path).exists()


def test_a_file_without_a_pinned_digest_is_recorded_and_noticed_when_it_moves(
    hub: Hub, tmp_path: Path
) -> None:
    entry = entry_with(CONTENT, pinned=False)
    fetch_entry(entry, tmp_path)
    model_file(entry, tmp_path).unlink()
    hub.content = OTHER

    with pytest.raises(UnavailableError, match="another file than was fetched first"):
        fetch_entry(entry, tmp_path)


def test_what_is_there_asks_nobody_and_is_not_read_again(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_with(CONTENT)
    fetch_entry(entry, tmp_path)
    hub.asked.clear()
    file = model_file(entry, tmp_path)
    unchanged = file.stat()
    file.write_bytes(OTHER)  # As a disk decays: nobody is told.
    os.utime(file, ns=(unchanged.st_atime_ns, unchanged.st_mtime_ns))

    fetch_entry(entry, tmp_path)

    assert hub.asked == []
    assert intact_folder(entry, tmp_path) is not None, "the stamp was believed"
    assert intact_folder(entry, tmp_path, recheck=True) is None, "a recheck reads"


def test_a_file_that_was_written_since_is_read_again_and_fetched(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    fetch_entry(entry, tmp_path)
    model_file(entry, tmp_path).write_bytes(OTHER)

    fetch_entry(entry, tmp_path)

    assert model_file(entry, tmp_path).read_bytes() == CONTENT


def test_a_volume_that_can_only_be_read_serves_what_it_has(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    fetch_entry(entry, tmp_path)
    hub.asked.clear()
    folder = folder_of(entry, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    fetch_entry(entry, tmp_path)

    assert hub.asked == []
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before, "nothing is written"


def test_other_contents_of_a_name_leave_those_that_are_in_use_alone(hub: Hub, tmp_path: Path) -> None:
    old, new = entry_with(CONTENT), entry_with(OTHER)
    fetch_entry(old, tmp_path)
    hub.content = OTHER

    fetch_entry(new, tmp_path)

    assert model_file(old, tmp_path).read_bytes() == CONTENT
    assert model_file(new, tmp_path).read_bytes() == OTHER


def test_a_folder_of_an_earlier_version_is_used_as_it_is(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.bin").write_bytes(CONTENT)

    fetch_entry(entry, tmp_path)

    assert hub.asked == []
    assert intact_folder(entry, tmp_path) == tmp_path / "model"


@pytest.mark.parametrize("layout", ["name", "content"])
def test_a_given_folder_is_asked_before_the_hub(hub: Hub, tmp_path: Path, layout: str) -> None:
    entry, source = entry_with(CONTENT), tmp_path / "source"
    given = source / "model" if layout == "name" else folder_of(entry, source)
    given.mkdir(parents=True)
    (given / "model.bin").write_bytes(CONTENT)

    fetch_entry(entry, tmp_path / "models", source_dir=source)

    assert hub.asked == []
    assert model_file(entry, tmp_path / "models").read_bytes() == CONTENT


def test_the_operators_own_files_need_no_fetching(tmp_path: Path) -> None:
    fetch([str(tmp_path)], tmp_path / "models")

    assert not (tmp_path / "models").exists()


def test_every_download_is_pinned_by_revision_and_digest() -> None:
    for entry in catalogue().values():
        assert not entry.hub_repo or len(entry.hub_revision) == 40, entry.name
        for file in entry.files:
            assert file.built_from or (len(file.sha256) == 64 and file.size_bytes > 0), entry.name


def test_folders_are_named_by_all_that_is_pinned() -> None:
    ids = [entry.content_id for entry in catalogue().values()]

    assert len(set(ids)) == len(ids)
    assert entry_with(CONTENT).content_id != entry_with(OTHER).content_id
