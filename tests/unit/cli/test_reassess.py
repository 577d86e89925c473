"""`interview reassess|versions|results --version` before a gateway in memory."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from cli.app import run
from cli.failures import CommandError
from cli.reassess_command import await_version
from tests.fakes.cli import SESSION_ID, FakeGateway, Screen, error, result_document

REASSESS = ("POST", f"/sessions/{SESSION_ID}/reassess")
VERSIONS = ("GET", f"/sessions/{SESSION_ID}/versions")
RESULTS = ("GET", f"/results/{SESSION_ID}")


def version(state: str = "completed", number: int = 2, **more: Any) -> dict[str, Any]:
    return {"version": number, "rubric_id": "technical", "state": state, "reason": "", "message": ""} | more


class FakeVersions:
    """Says something else each time it is asked."""

    def __init__(self, *answers: list[dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.pauses_s: list[float] = []

    def versions(self, session_id: str) -> list[dict[str, Any]]:
        return self.answers.pop(0)


@pytest.fixture
def gateway() -> FakeGateway:
    gateway = FakeGateway()
    gateway.on(*REASSESS, httpx.Response(200, json=version()))
    gateway.on(*RESULTS, httpx.Response(200, json=result_document()))
    return gateway


@pytest.fixture
def screen(gateway: FakeGateway) -> Screen:
    return Screen(gateway)


def test_reassess_shows_the_result_of_the_new_version(gateway: FakeGateway, screen: Screen) -> None:
    assert run(["reassess", SESSION_ID, "--rubric", "technical"], screen.environment) == 0

    assert json.loads(gateway.bodies[0]) == {"rubric_id": "technical"}
    assert gateway.requests[-1].url.query == b"version=2"
    assert "version 2: technical, completed" in screen.err
    assert "What happened?" in screen.out


def test_reassess_prints_the_document_for_programs(screen: Screen) -> None:
    assert run(["reassess", SESSION_ID, "--rubric", "technical", "--json"], screen.environment) == 0
    assert json.loads(screen.out) == result_document()


def test_reassess_without_watching_returns_at_once(gateway: FakeGateway, screen: Screen) -> None:
    gateway.on(*REASSESS, httpx.Response(200, json=version("queued")))

    assert run(["reassess", SESSION_ID, "--rubric", "technical", "--no-watch"], screen.environment) == 0
    assert "version 2: technical, queued" in screen.err
    assert len(gateway.requests) == 1


def test_an_unknown_rubric_is_refused_with_the_gateways_sentence(
    gateway: FakeGateway, screen: Screen
) -> None:
    gateway.on(*REASSESS, error(400, "RUBRIC_UNKNOWN", "Ask for one of the rubrics general, technical."))

    assert run(["reassess", SESSION_ID, "--rubric", "astrology"], screen.environment) == 5
    assert "Ask for one of the rubrics general, technical. (RUBRIC_UNKNOWN)" in screen.err


def test_a_judgement_that_failed_says_why(gateway: FakeGateway, screen: Screen) -> None:
    failed = version("failed", reason="MODEL_UNAVAILABLE", message="The model is away.")
    gateway.on(*REASSESS, httpx.Response(200, json=failed))

    assert run(["reassess", SESSION_ID, "--rubric", "technical"], screen.environment) == 1
    assert "The model is away. (MODEL_UNAVAILABLE)" in screen.err


def test_a_judgement_is_waited_for() -> None:
    source = FakeVersions([version("queued")], [version("processing")], [version(number=1), version()])

    done = await_version(source, SESSION_ID, version("queued"), source.pauses_s.append)

    assert (done["version"], done["state"], len(source.pauses_s)) == (2, "completed", 3)


def test_a_version_that_is_gone_is_not_waited_for() -> None:
    with pytest.raises(CommandError, match="gone"):
        await_version(FakeVersions([]), SESSION_ID, version("queued"), lambda _: None)


def test_versions_are_listed(gateway: FakeGateway, screen: Screen) -> None:
    body = {"versions": [version(number=1, rubric_id=""), version()]}
    gateway.on(*VERSIONS, httpx.Response(200, json=body))

    assert run(["versions", SESSION_ID], screen.environment) == 0
    assert run(["versions", SESSION_ID, "--json"], screen.environment) == 0
    assert "(default)" in screen.out
    assert "technical" in screen.out


def test_results_of_an_older_version_can_be_asked_for(gateway: FakeGateway, screen: Screen) -> None:
    assert run(["results", SESSION_ID, "--version", "1"], screen.environment) == 0
    assert gateway.requests[0].url.query == b"version=1"


@pytest.mark.parametrize("command", [["reassess", "f" * 32, "--rubric", "general"], ["versions", "f" * 32]])
def test_an_unknown_session_is_exit_code_4(screen: Screen, command: list[str]) -> None:
    assert run(command, screen.environment) == 4
