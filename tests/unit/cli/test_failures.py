"""How the command fails: a sentence for people, one JSON object for programs; and what it says of itself."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from cli.app import run
from cli.refusals import API_KEY_VARIABLE
from tests.fakes.cli import SESSION_ID, FakeGateway, Screen, error, event_stream, session_state


def failed_json(*arguments: str, gateway: FakeGateway | None = None) -> tuple[dict[str, object], Screen]:
    screen = Screen(gateway or FakeGateway())
    exit_code = run([*arguments, "--json"], screen.environment)
    failure = json.loads(screen.out)
    assert failure["exit_code"] == exit_code
    assert failure["success"] is False
    return failure, screen


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["status", "f" * 32], "SESSION_NOT_FOUND", 4),
        (["status"], "USAGE_INVALID", 2),
        (["list", "--count", "0"], "USAGE_INVALID", 2),
        (["list", "--no-such-option"], "USAGE_INVALID", 2),
        (["list", "--gateway", "localhost"], "GATEWAY_URL_INVALID", 2),
        (["submit", "absent.mp4"], "FILE_NOT_FOUND", 2),
    ],
)
def test_a_failure_is_one_json_object_where_json_is_wanted(
    arguments: list[str], code: str, exit_code: int
) -> None:
    failure, screen = failed_json(*arguments)
    assert (failure["code"], failure["exit_code"]) == (code, exit_code)
    assert screen.err == f"error: {failure['message']} ({code})\n"


def test_a_session_that_failed_is_named_in_the_json_object() -> None:
    gateway = FakeGateway()
    final = session_state("failed", code="NO_GOOD_ANSWER", error="No answer could be assessed.")
    gateway.on("GET", f"/sessions/{SESSION_ID}/events", event_stream(final))
    failure, _ = failed_json("watch", SESSION_ID, gateway=gateway)
    assert (failure["code"], failure["session_id"]) == ("NO_GOOD_ANSWER", SESSION_ID)


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("refused"), error(503, "UPLOADS_FULL", "Too many uploads.")]
)
def test_a_gateway_that_is_away_is_json_too(trouble: httpx.Response | Exception) -> None:
    gateway = FakeGateway()
    gateway.on("GET", "/sessions", trouble)
    assert failed_json("list", gateway=gateway)[0]["exit_code"] == 3


def test_without_json_standard_output_stays_empty() -> None:
    screen = Screen(FakeGateway())
    assert run(["status", "f" * 32], screen.environment) == 4
    assert screen.out == ""


def test_a_wrong_command_line_says_where_its_help_is() -> None:
    screen = Screen(FakeGateway())
    assert run(["models", "fetch", "--nope"], screen.environment) == 2
    assert "`interview models fetch --help` shows how. (USAGE_INVALID)" in screen.err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert re.fullmatch(r"interview \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("command", [[], ["submit"], ["list"], ["watch"], ["subtitles"]])
def test_help_names_the_variable_of_the_key(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    assert API_KEY_VARIABLE in capsys.readouterr().out


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(FakeGateway())
    assert run(["models"], screen.environment) == 2
    assert "fetch" in capsys.readouterr().out
    assert screen.err == ""
