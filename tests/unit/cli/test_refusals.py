"""What the command says where the gateway refuses, and what it does not say before the answer."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from chassis.errors import PreconditionError
from cli.app import run
from cli.progress import byte_bars
from cli.refusals import API_KEY_VARIABLE
from tests.fakes.cli import SESSION_ID, FakeGateway, Screen, error

KEY = "ia_notakeyofanybody"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "one.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" * 1000)
    return path


@pytest.mark.parametrize("key", ["", KEY])
@pytest.mark.parametrize("code", ["API_KEY_INVALID", "API_KEY_MISTYPED", "API_KEY_SCOPE_MISSING"])
def test_a_refused_key_is_told_with_the_variable_that_it_is_read_from(
    monkeypatch: pytest.MonkeyPatch, key: str, code: str
) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, key)
    gateway = FakeGateway()
    gateway.on("GET", f"/status/{SESSION_ID}", error(403, code, "Refused."))
    gateway.on("GET", f"/sessions/{SESSION_ID}/events", error(403, code, "Refused."))
    for command in ("status", "watch"):
        screen = Screen(gateway)

        assert run([command, SESSION_ID, "--json"], screen.environment) == 5

        told = json.loads(screen.out)
        assert told["code"] == code
        assert API_KEY_VARIABLE in told["message"]
        assert ("needs an API key" in told["message"]) == (not key)


def test_an_upload_is_called_complete_once_it_was_accepted_and_not_before(video: Path) -> None:
    gateway = FakeGateway()
    gateway.on("POST", "/upload", error(403, "API_KEY_INVALID", "Invalid or missing API Key"))
    refused = Screen(gateway)

    assert run(["submit", str(video)], refused.environment) == 5
    assert "complete" not in refused.err

    gateway.on("POST", "/upload", httpx.Response(200, json={"success": True, "session_id": SESSION_ID}))
    accepted = Screen(gateway)
    assert run(["submit", str(video), "--no-watch"], accepted.environment) == 0
    assert "upload: complete" in accepted.err


def test_a_transfer_whose_bytes_turn_out_wrong_is_never_called_complete() -> None:
    screen = Screen(FakeGateway())

    with pytest.raises(PreconditionError), byte_bars(screen.environment.err) as report:
        report("first", 10, 10)
        report("second", 10, 10)
        raise PreconditionError("It is not the file that is pinned.", reason="MODEL_CORRUPT")

    assert screen.err.splitlines() == ["first: complete"]
