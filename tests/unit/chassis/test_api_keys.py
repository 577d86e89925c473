"""What a key looks like, and how the file of keys is changed."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.api_keys import KeyBook, created, is_whole, new_key, revoked, rotated
from chassis.errors import InvalidInputError, NotFoundError, PreconditionError
from chassis.key_file import changing, read_key_book

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def book_with(name: str, **values: object) -> KeyBook:
    return created(KeyBook(), name, now=NOW, scopes=("read",), **values)[0]  # type: ignore[arg-type]


def test_a_key_is_found_by_its_prefix_and_every_single_slip_is_noticed() -> None:
    key = new_key()

    assert key.startswith("ia_")
    assert is_whole(key)
    assert new_key() != key
    for place in range(3, len(key)):
        other = "b" if key[place] == "a" else "a"
        assert not is_whole(key[:place] + other + key[place + 1 :])
    for wrong in ("", "ia_", key[:-1], key + "a", key.swapcase(), "x" + key[1:]):
        assert not is_whole(wrong)


def test_a_revoked_name_stays_taken_so_that_nobody_inherits_its_sessions() -> None:
    book = revoked(book_with("ana"), "ana", now=NOW)

    assert book.holders[0].secrets == ()
    with pytest.raises(PreconditionError):
        created(book, "ana", now=NOW, scopes=("read",))
    with pytest.raises(NotFoundError):
        rotated(book, "ana", now=NOW, grace=timedelta())


def test_many_rotations_keep_no_more_than_the_keys_that_are_still_valid() -> None:
    book = book_with("ana")
    for day in range(5):
        book, _ = rotated(book, "ana", now=NOW + timedelta(days=day), grace=timedelta(hours=30))

    ends = [secret.expires for secret in book.holders[0].secrets]
    assert ends == [NOW + timedelta(days=3, hours=30), NOW + timedelta(days=4, hours=30), None]


@pytest.mark.parametrize(
    "values",
    [{"upload_rate": "often"}, {"byte_rate": "5GB"}, {"group": "x" * 101}, {"expires": datetime(2027, 1, 1)}],
)
def test_a_holder_with_a_wrong_value_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        book_with("ana", **values)


def test_the_file_is_its_owners_alone_and_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "new" / "keys.json"
    with changing(file) as kept:
        kept.book = book_with("ana")
    file.chmod(0o644)
    first = file.stat().st_ino
    with changing(file) as kept:
        kept.book = revoked(kept.book, "ana", now=NOW)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_ino != first
    assert read_key_book(file).holders[0].revoked == NOW
    assert {path.name for path in file.parent.iterdir()} == {"keys.json", "keys.json.lock"}


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    with changing(file) as kept:
        kept.book = book_with("ana")
    before = file.read_bytes()

    with pytest.raises(NotFoundError), changing(file) as kept:
        kept.book = revoked(kept.book, "ana", now=NOW)
        kept.book = revoked(kept.book, "eve", now=NOW)

    assert file.read_bytes() == before


def test_changes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"

    def add(name: str) -> None:
        with changing(file) as kept:
            kept.book, _ = created(kept.book, name, now=NOW, scopes=("read",))

    threads = [threading.Thread(target=add, args=(f"key-{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(read_key_book(file).holders) == 12


@pytest.mark.parametrize("content", ["", "{", '{"version": 2}', '{"holders": [{"name": "a"}]}', "[]"])
def test_what_is_not_a_file_of_keys_is_named_without_its_content(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)

    with pytest.raises(InvalidInputError) as raised:
        read_key_book(file)

    assert raised.value.reason == "KEY_FILE_INVALID"
    assert "interview keys create" in raised.value.message


def test_an_absent_file_holds_no_keys_and_what_a_newer_build_adds_is_passed_over(tmp_path: Path) -> None:
    assert read_key_book(tmp_path / "none.json") == KeyBook()
    (tmp_path / "newer.json").write_text('{"version": 1, "holders": [], "more": 1}')
    assert read_key_book(tmp_path / "newer.json") == KeyBook()
