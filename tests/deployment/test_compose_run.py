"""Containers on a real engine: the demo clip, a stage twice, containers that are killed.

Run by `make compose-check`. The tests share one system and run in this order.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import jiwer
import pytest

from tests.deployment.containers import Containers, demo_recordings, reason_to_skip, running
from tests.folders import ROOT
from tests.free_ports import free_port

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1500)]

MAX_WORD_ERROR_RATE = 0.05
DONE = {"OK", "NOT_CONFIGURED"}
SESSION_COUNT = 4
BEGIN_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def system() -> Iterator[Containers]:
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running(free_port(), {"transcriber": 2}) as containers:
        yield containers


def words(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def test_everything_is_healthy_at_the_first_try(system: Containers) -> None:
    assert set(system.restart_counts().values()) == {0}


def test_the_demo_clip_comes_through(system: Containers) -> None:
    truth = json.loads((ROOT / "demo" / "truth.json").read_text(encoding="utf-8"))["answers"]
    sessions = [system.submit(recording) for recording in demo_recordings()]

    for session_id, told in zip(sessions, truth, strict=True):
        (answer,) = system.result_of(session_id)["results"]
        heard = words(" ".join(segment["text"] for segment in answer["transcript"]["segments"]))
        assert (
            jiwer.wer(words(" ".join(one["text"] for one in told["utterances"])), heard)
            <= MAX_WORD_ERROR_RATE
        )
        assert len([one for one in answer["observations"] if one["kind"] == "no_face"]) == len(
            told["no_face"]
        )


def test_two_transcribers_share_the_calls(system: Containers) -> None:
    for session_id in [system.submit(demo_recordings()[1]) for _ in range(SESSION_COUNT)]:
        assert system.result_of(session_id)["results"][0]["transcript"]["segments"]

    counts = system.call_counts("transcriber", "Transcribe")

    assert len(counts) == 2
    assert min(counts) >= 0.3 * sum(counts)


@pytest.mark.parametrize("service", ["vision", "transcriber", "orchestrator", "gateway"])
def test_no_accepted_session_is_lost_when_a_container_is_killed(system: Containers, service: str) -> None:
    sessions = [system.submit(recording) for recording in demo_recordings()]
    deadline_s = time.monotonic() + BEGIN_TIMEOUT_S
    while not system.has_begun(sessions[0]) and time.monotonic() < deadline_s:
        time.sleep(0.1)

    system.kill(service)
    system.start({"transcriber": 2})

    for session_id in sessions:
        (answer,) = system.result_of(session_id)["results"]
        assert answer["transcript"]["segments"]
        assert {stage["outcome"] for stage in answer["stages"].values()} <= DONE, answer["stages"]


def test_every_process_ends_by_itself_when_it_is_asked_to(system: Containers) -> None:
    system.compose("stop", "--timeout", "150")

    assert {code for codes in system.exit_codes().values() for code in codes} == {0}
