"""`interview audit`: pages of the log, a file, a head that was kept, and what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.audit_chain import PRUNED, THROUGH_HASH, THROUGH_SEQ, Head, hash_of_session
from cli.app import run
from tests.audit_lines import chain, head_of
from tests.fakes.cli import SESSION_ID, FakeGateway, Screen, error

LENGTH = 5


def page(lines: list[str]) -> httpx.Response:
    headers = {"Content-Type": "application/jsonl"}
    if lines:
        headers["X-Last-Seq"] = str(json.loads(lines[-1])["seq"])
    return httpx.Response(200, text="".join(f"{line}\n" for line in lines), headers=headers)


def screen_of(lines: list[str], **options: Any) -> Screen:
    gateway = FakeGateway()
    gateway.on("GET", "/audit", page(lines[:2]), page(lines[2:]), page([]))
    head = head_of(lines)
    gateway.on("GET", "/audit/head", httpx.Response(200, json={"seq": head.seq, "hash": head.hash}))
    return Screen(gateway, **options)


def test_a_whole_log_is_read_to_its_end_and_its_head_told() -> None:
    lines = chain(LENGTH)
    screen = screen_of(lines)

    assert run(["audit", "verify"], screen.environment) == 0
    assert screen.err.startswith(f"5 records, whole. Head {head_of(lines)}. Without --head nobody can tell")
    assert screen.out == ""


def test_what_is_wrong_is_told_by_record_and_ends_with_1() -> None:
    lines = chain(LENGTH)
    lines[2] = lines[2].replace("key:ana", "key:eve")
    screen = screen_of(lines, terminal_columns=80)

    assert run(["audit", "verify"], screen.environment) == 1
    heading, row = screen.out.splitlines()
    assert heading.split() == ["record", "problem", "what", "it", "is"]
    assert row.split()[:2] == ["3", "changed"]
    assert all(len(line) <= 80 for line in screen.out.splitlines())
    assert "1 problem(s) in 5 records: this log was changed" in screen.err


def test_programs_get_all_of_it_as_json() -> None:
    lines = chain(LENGTH)
    del lines[1]
    screen = screen_of(lines)

    assert run(["audit", "verify", "--json"], screen.environment) == 1
    told = json.loads(screen.out)
    assert (told["success"], told["record_count"], told["head"]["seq"]) == (False, 4, 5)
    assert [(one["seq"], one["kind"]) for one in told["problems"]] == [(2, "missing")]


def test_an_export_is_verified_without_a_gateway_against_the_head_that_was_kept(tmp_path: Path) -> None:
    lines, file = chain(LENGTH), tmp_path / "audit.jsonl"
    screen = screen_of(lines)
    assert run(["audit", "head"], screen.environment) == 0
    assert run(["audit", "export", "--to", str(file)], screen.environment) == 0
    head = screen.out.strip()
    assert head == str(head_of(lines))
    assert file.read_text().splitlines() == lines

    offline = Screen(FakeGateway())
    verify = ["audit", "verify", "--file", str(file)]
    assert run([*verify, "--head", head], offline.environment) == 0
    file.write_text("".join(f"{line}\n" for line in lines[:-1]))
    assert run(verify, offline.environment) == 0, "nobody can tell"
    assert run([*verify, "--head", head], offline.environment) == 1
    assert "cut off" in offline.out


def test_a_head_from_before_what_is_kept_is_no_word_of_a_change(tmp_path: Path) -> None:
    removed, file = Head(20, "a" * 64), tmp_path / "audit.jsonl"
    checkpoint = {"action": PRUNED, "details": {THROUGH_SEQ: removed.seq, THROUGH_HASH: removed.hash}}
    lines = chain(LENGTH, begin=removed, special={23: checkpoint})
    file.write_text("".join(f"{line}\n" for line in lines))
    screen = Screen(FakeGateway())

    assert run(["audit", "verify", "--file", str(file), "--head", f"3:{'b' * 64}"], screen.environment) == 1
    assert "not kept" in screen.out
    assert "the rest is whole" in screen.err
    assert "was changed" not in screen.err


def test_an_export_without_a_file_goes_to_standard_output() -> None:
    screen = screen_of(chain(LENGTH))

    assert run(["audit", "export"], screen.environment) == 0
    assert screen.out.splitlines() == chain(LENGTH)


def test_the_records_of_a_session_are_found_by_its_id() -> None:
    lines = chain(LENGTH, special={4: {"session": hash_of_session(SESSION_ID), "count": 3, "who": "k" * 90}})
    screen = screen_of(lines, terminal_columns=80)

    assert run(["audit", "list", "--session", SESSION_ID], screen.environment) == 0
    _heading, row = screen.out.splitlines()
    assert row.split()[0] == "4"
    assert "ok (3" in row
    assert "session.accept" in row


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["verify", "--file", "/nowhere/audit.jsonl"], "FILE_NOT_FOUND", 2),
        (["verify", "--file", "/"], "FILE_NOT_READABLE", 2),
        (["verify", "--head", "5"], "USAGE_INVALID", 2),
        (["verify", "--head", ""], "USAGE_INVALID", 2),  # "$(tail -1 heads.txt)" of an empty file
        (["export", "--to", "/nowhere/audit.jsonl"], "OUTPUT_NOT_WRITABLE", 1),
    ],
)
def test_a_wrong_command_line_is_told(arguments: list[str], code: str, exit_code: int) -> None:
    screen = screen_of(chain(LENGTH))

    assert run(["audit", *arguments], screen.environment) == exit_code
    assert f"({code})" in screen.err


def test_a_key_without_the_scope_is_told_as_the_gateway_says_it() -> None:
    gateway = FakeGateway()
    gateway.on("GET", "/audit", error(403, "API_KEY_SCOPE_MISSING", "This API key lacks the scope 'admin'."))
    screen = Screen(gateway)

    assert run(["audit", "verify"], screen.environment) == 5
    assert "(API_KEY_SCOPE_MISSING)" in screen.err


def test_another_program_at_the_address_is_no_empty_log() -> None:
    gateway = FakeGateway()
    gateway.on("GET", "/audit", httpx.Response(200, text="<html></html>"))

    assert run(["audit", "verify"], Screen(gateway).environment) == 3
