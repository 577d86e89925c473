"""Commands about sessions: what a person reads at 80 columns, and what a pipe gets."""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.app import run
from tests.fakes.cli import (
    SESSION_ID,
    FakeGateway,
    Screen,
    event_stream,
    result_document,
    session_state,
)

LONG_NAME = "Siti Nurhaliza binti Tarudin of Kampung Awah"
RETRY = f"/sessions/{SESSION_ID}/retry"


def listing(*sessions: dict[str, Any], token: str = "") -> httpx.Response:
    return httpx.Response(200, json={"success": True, "sessions": list(sessions), "next_page_token": token})


@pytest.fixture
def gateway() -> FakeGateway:
    fake = FakeGateway()
    fake.on("GET", "/sessions", listing(session_state("processing", candidate_name=LONG_NAME), token="next"))
    fake.on("GET", f"/sessions/{SESSION_ID}/events", event_stream(session_state("completed")))
    fake.on("GET", f"/results/{SESSION_ID}", httpx.Response(200, json=result_document()))
    fake.on("POST", RETRY, httpx.Response(200, json=session_state("queued")))
    fake.on("DELETE", f"/sessions/{SESSION_ID}", httpx.Response(200, json={"success": True}))
    return fake


def with_stages(gateway: FakeGateway, state: str, *stages: tuple[str, str]) -> None:
    listed = [
        {"stage": f"s{n}", "state": state, "percent": 100.0, "attempts": 1, "reason": reason}
        for n, (state, reason) in enumerate(stages)
    ]
    session = session_state(state, answers=[{"position": 1, "stages": listed}])
    gateway.on("GET", f"/status/{SESSION_ID}", httpx.Response(200, json=session))


def test_the_list_fits_80_columns_and_cuts_nothing(gateway: FakeGateway) -> None:
    screen = Screen(gateway, terminal_columns=80)
    assert run(["list"], screen.environment) == 0
    lines = screen.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["session", "state", "accepted", "candidate"]
    assert lines[1].startswith(f"{SESSION_ID}  processing 40 %  ")
    assert " ".join(line[69:].strip() for line in lines[1:]) == LONG_NAME


def test_in_a_pipe_a_session_is_a_line_with_tabs_and_nothing_is_cut(gateway: FakeGateway) -> None:
    screen = Screen(gateway)
    assert run(["list"], screen.environment) == 0
    (line,) = screen.out.splitlines()
    session_id, state, percent, answers, accepted, name, held = line.split("\t")
    assert (session_id, state, percent, answers, name) == (SESSION_ID, "processing", "40", "1", LONG_NAME)
    assert held == ""
    assert datetime.fromisoformat(accepted).timestamp() == 0.0
    assert screen.err == "more: --page-token next\n"


def test_a_name_can_not_steer_the_terminal_or_break_a_line(gateway: FakeGateway) -> None:
    gateway.on("GET", "/sessions", listing(session_state("completed", candidate_name="A\x1b[2J\tB\nC")))
    for screen in (Screen(gateway), Screen(gateway, terminal_columns=160)):
        assert run(["list"], screen.environment) == 0
        assert "A [2J B C" in screen.out


def test_status_in_a_pipe_is_a_line_for_each_stage(gateway: FakeGateway) -> None:
    with_stages(gateway, "processing", ("done", ""), ("running", ""))
    screen = Screen(gateway)
    assert run(["status", SESSION_ID], screen.environment) == 0
    assert screen.out.splitlines()[1:] == ["1\ts0\tdone\t100 %\t1\t", "1\ts1\trunning\t100 %\t1\t"]


def test_watch_follows_a_session_and_shows_its_result(gateway: FakeGateway) -> None:
    screen = Screen(gateway)
    assert run(["watch", SESSION_ID], screen.environment) == 0
    assert "It broke." in screen.out
    assert SESSION_ID in screen.err


@pytest.mark.parametrize(
    "stages",
    [
        [("done", ""), ("done", "")],
        [("done", ""), ("skipped", "NO_VIDEO")],
    ],
)
def test_retry_with_nothing_to_retry_says_so_and_asks_for_nothing(
    gateway: FakeGateway, stages: list[tuple[str, str]]
) -> None:
    with_stages(gateway, "completed", *stages)
    screen = Screen(gateway)
    assert run(["retry", SESSION_ID], screen.environment) == 0
    assert screen.out == f"{SESSION_ID}: nothing to retry, every stage is done\n"
    assert [request.method for request in gateway.requests] == ["GET"]


@pytest.mark.parametrize(
    ("state", "stages"),
    [
        ("completed", [("done", ""), ("failed", "INTERNAL")]),
        ("completed", [("done", ""), ("skipped", "TRANSLATOR_NOT_CONFIGURED")]),
        ("cancelled", [("done", ""), ("skipped", "CANCELLED")]),
        ("failed", []),
    ],
)
def test_retry_runs_what_another_run_may_change(
    gateway: FakeGateway, state: str, stages: list[tuple[str, str]]
) -> None:
    with_stages(gateway, state, *stages)
    screen = Screen(gateway)
    assert run(["retry", SESSION_ID], screen.environment) == 0
    assert screen.out == f"{SESSION_ID}: queued\n"


def test_delete_asks_and_no_deletes_nothing(gateway: FakeGateway) -> None:
    questions: list[str] = []

    def no(question: str) -> bool:
        questions.append(question)
        return False

    screen = Screen(gateway, confirm=no)
    assert run(["delete", SESSION_ID], screen.environment) == 1
    assert SESSION_ID in questions[0]
    assert "Nothing was deleted. (NOT_CONFIRMED)" in screen.err
    assert gateway.requests == []


def test_delete_deletes_after_a_yes(gateway: FakeGateway) -> None:
    screen = Screen(gateway, confirm=lambda _: True)
    assert run(["delete", SESSION_ID], screen.environment) == 0
    assert screen.out == f"{SESSION_ID}: deleted\n"


def test_without_a_terminal_delete_wants_yes_in_words(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    screen = Screen(gateway)
    assert run(["delete", SESSION_ID], screen.environment) == 2
    assert "(CONFIRMATION_MISSING)" in screen.err
    assert gateway.requests == []


def test_subtitles_of_a_session_come_from_the_gateway(gateway: FakeGateway) -> None:
    document = result_document()
    document["results"][0]["transcript"]["segments"][0]["words"] = [
        {"text": "It", "start_s": 0.5, "end_s": 0.8},
        {"text": "broke.", "start_s": 0.8, "end_s": 2.0},
    ]
    gateway.on("GET", f"/results/{SESSION_ID}", httpx.Response(200, json=document))
    screen = Screen(gateway)
    assert run(["subtitles", SESSION_ID], screen.environment) == 0
    assert "00:00:00,500 --> 00:00:02,000\nIt broke.\n" in screen.out


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("notes.txt", b"\x00\x00\x00\x18ftypmp42 and so on", "FILE_TYPE_INVALID"),
        ("notes.mp4", b"only words, no video at all", "NOT_A_VIDEO"),
        ("sound.mp3", b"ID3\x04" + b"\x00" * 60, "FILE_TYPE_INVALID"),
        ("empty.webm", b"", "FILE_EMPTY"),
    ],
)
def test_a_wrong_file_is_refused_before_it_is_sent(
    gateway: FakeGateway, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    screen = Screen(gateway)
    assert run(["submit", str(tmp_path / name)], screen.environment) == 2
    assert f"({code})" in screen.err
    assert gateway.requests == []


def test_a_session_is_put_on_hold_and_released(gateway: FakeGateway) -> None:
    for word, held, told in (("hold", True, "on legal hold"), ("release", False, "not on legal hold")):
        answer = {"success": True, "session_id": SESSION_ID, "held": held}
        gateway.on("POST", f"/sessions/{SESSION_ID}/{word}", httpx.Response(200, json=answer))
        screen, as_json = Screen(gateway), Screen(gateway)

        assert run([word, SESSION_ID], screen.environment) == 0
        assert screen.out == f"{SESSION_ID}: {told}\n"
        assert run([word, SESSION_ID, "--json"], as_json.environment) == 0
        assert json.loads(as_json.out) == answer


def test_a_session_on_hold_is_marked_wherever_it_is_shown(gateway: FakeGateway) -> None:
    held = session_state("completed", held=True)
    gateway.on("GET", "/sessions", listing(held))
    gateway.on("GET", f"/status/{SESSION_ID}", httpx.Response(200, json=held))
    pipe, terminal, status = Screen(gateway), Screen(gateway, terminal_columns=80), Screen(gateway)

    assert run(["list"], pipe.environment) == run(["list"], terminal.environment) == 0
    assert run(["status", SESSION_ID], status.environment) == 0

    assert pipe.out.rstrip("\n").endswith("\theld")
    assert "completed · held" in terminal.out
    assert "on legal hold" in status.out
