"""`interview keys`: the file of keys, and what is shown of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from chassis.api_keys import digest_of, is_whole
from chassis.key_file import read_key_book
from cli.app import run
from cli.key_commands import FILE_VARIABLE
from tests.fakes.cli import FakeGateway, Screen


@pytest.fixture
def screen() -> Screen:
    return Screen(FakeGateway())


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.json"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def test_a_key_is_shown_once_and_only_its_digest_is_kept(file: Path, screen: Screen) -> None:
    words = "create hr --group people --scope submit --scope read --expires 90d"
    limits = "--uploads 100/hour --bytes 5GB/day"
    assert run(["keys", *words.split(), *limits.split()], screen.environment) == 0

    key = screen.out.strip()
    holder = read_key_book(file).holders[0]
    assert is_whole(key)
    assert key not in file.read_text()
    assert holder.secrets[0].sha256 == digest_of(key)
    assert (holder.group, holder.scopes) == ("people", ("submit", "read"))
    assert (holder.upload_rate, holder.byte_rate) == ("100/hour", "5000000000/day")
    assert holder.expires is not None
    assert (holder.expires - holder.created).days == 90


def test_a_key_reads_and_submits_unless_told_otherwise_and_its_group_is_its_name(
    file: Path, screen: Screen
) -> None:
    assert run(["keys", "create", "hr"], screen.environment) == 0

    holder = read_key_book(file).holders[0]
    assert (holder.group, holder.scopes, holder.expires) == ("hr", ("submit", "read"), None)


def test_a_list_shows_who_holds_keys_and_nothing_to_sign_in_with(file: Path, screen: Screen) -> None:
    for words in ("create ana", "create ben", "rotate ana", "revoke ben", "list"):
        assert run(["keys", *words.split()], screen.environment) == 0

    *keys, ana, ben = screen.out.splitlines()
    assert ana.split("\t")[:4] == ["ana", "ana", "submit,read", "rotating"]
    assert ben.split("\t")[3] == "revoked"
    assert len(keys) == 3
    as_json = Screen(FakeGateway())
    assert run(["keys", "list", "--json"], as_json.environment) == 0
    assert [key["state"] for key in json.loads(as_json.out)["keys"]] == ["rotating", "revoked"]
    for holder in read_key_book(file).holders:
        assert not [secret for secret in holder.secrets if secret.sha256 in as_json.out]


@pytest.mark.parametrize(
    "words",
    [
        "--scope submit,read,manage",
        "--scope submit --scope read,manage",
        "--scope submit,read --scope manage",
    ],
)
def test_scopes_come_with_commas_or_one_by_one(file: Path, screen: Screen, words: str) -> None:
    assert run(["keys", "create", "hr", *words.split()], screen.environment) == 0

    assert read_key_book(file).holders[0].scopes == ("submit", "read", "manage")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["hr", "--scope", "read,write"],
            "'write' is not a scope. --scope takes submit, read, review, manage, admin.",
        ),
        (["hr", "--scope", "read,"], "'' is not a scope. --scope takes submit, read, review, manage, admin."),
        (
            ["hr", "--uploads", "often"],
            "--uploads is a number and a time (minute, hour, day, month), such as 100/hour.",
        ),
        (
            ["hr", "--bytes", "5 GB"],
            "--bytes is a size and a time (minute, hour, day, month), such as 5GB/day.",
        ),
        (["hr", "--group", "g" * 300], "--group has at most 100 characters."),
        ([""], "NAME has 1 to 100 characters."),
        (["hr", "--expires", "soon"], "--expires is a number with m, h, d or w, such as 90d."),
    ],
)
def test_a_wrong_value_is_told_by_its_option(
    file: Path, screen: Screen, arguments: list[str], message: str
) -> None:
    assert run(["keys", "create", *arguments, "--json"], screen.environment) == 2

    assert json.loads(screen.out)["message"] == message
    assert not read_key_book(file).holders


def test_an_old_key_ends_at_once_without_grace(file: Path, screen: Screen) -> None:
    assert run(["keys", "create", "ana"], screen.environment) == 0
    assert run(["keys", "rotate", "ana", "--grace", "0", "--json"], screen.environment) == 0

    old, _ = read_key_book(file).holders[0].secrets
    assert old.expires is not None
    assert old.expires <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        ("create hr --scope everything", "USAGE_INVALID", 2),
        ("create hr --expires tomorrow", "USAGE_INVALID", 2),
        ("create hr --uploads often", "USAGE_INVALID", 2),
        ("create hr --bytes 5", "USAGE_INVALID", 2),
        ("rotate hr --grace long", "USAGE_INVALID", 2),
        ("rotate nobody", "KEY_NOT_FOUND", 4),
        ("revoke nobody", "KEY_NOT_FOUND", 4),
    ],
)
def test_what_can_not_be_done_is_said_and_changes_nothing(
    file: Path, screen: Screen, words: str, code: str, exit_code: int
) -> None:
    assert run(["keys", *words.split(), "--json"], screen.environment) == exit_code

    assert json.loads(screen.out)["code"] == code
    assert not read_key_book(file).holders


def test_without_a_file_the_command_says_which_option_names_it(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FILE_VARIABLE, raising=False)

    assert run(["keys", "list"], screen.environment) == 2
    assert "--file" in screen.err


def test_usage_is_a_line_for_each_day_and_key() -> None:
    gateway = FakeGateway()
    day = {"day": "2026-12-01", "key": "key:hr", "session_count": 3, "upload_count": 2, "media_bytes": 5}
    gateway.on("GET", "/usage", httpx.Response(200, json={"success": True, "days": [day]}))
    screen = Screen(gateway)

    assert run(["keys", "usage", "--days", "7"], screen.environment) == 0
    assert screen.out == "2026-12-01\tkey:hr\t3\t2\t5\n"
    assert gateway.requests[-1].url.query == b"days=7"
