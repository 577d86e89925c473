"""`POST /upload_json`: the original's checks, in its order; the orchestrator fetches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chassis.errors import UnavailableError
from tests.gateway_bench import Bench

pytestmark = pytest.mark.anyio

DRIVE = "https://drive.google.com/file/d/abc_DEF-1/view?usp=sharing"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def body(*interviews: Any, **root: Any) -> dict[str, Any]:
    data = {"candidate": {"name": "A"}, "reviewChecklists": {"interviews": list(interviews)}}
    return {"success": True, "data": data} | root


def interview(**values: Any) -> dict[str, Any]:
    return {"positionId": 1, "question": "Why?", "isVideoExist": True, "recordedVideoUrl": DRIVE} | values


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"data": {"x": 1}}, "Invalid JSON: missing success or data"),
        ({"success": True}, "Invalid JSON: missing success or data"),
        ([], "Invalid JSON: missing success or data"),
        ({"success": True, "data": {"candidate": {}}}, "Missing candidate name"),
        (body(), "Missing interviews data"),
        (
            {
                "success": True,
                "data": {"candidate": {"name": "A"}, "reviewChecklists": {"interviews": {"a": 1}}},
            },
            "Interviews array is empty",
        ),
        (body(interview(), language="xx"), "Invalid language: xx"),
        (body(*[interview()] * 6), "Too many videos"),
    ],
)
async def test_wrong_bodies_are_refused_in_the_originals_order(bench: Bench, sent: Any, message: str) -> None:
    reply = await bench.http.post("/upload_json", json=sent)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(message)


async def test_a_body_that_is_no_json_is_the_clients_fault(bench: Bench) -> None:
    reply = await bench.http.post("/upload_json", content=b"{nonsense")

    assert (reply.status_code, reply.json()["code"]) == (400, "JSON_INVALID")


async def test_items_without_question_or_link_are_kept_with_their_reason(bench: Bench) -> None:
    items = (
        interview(question=""),
        interview(positionId=2, recordedVideoUrl=None),
        interview(positionId=3, isVideoExist=False),
        "odd",
    )

    reply = await bench.http.post("/upload_json", json=body(*items))

    answers = bench.orchestrator.drafts[reply.json()["session_id"]].answers
    assert reply.json()["video_count"] == 4
    assert reply.json()["message"].startswith("JSON received.")
    assert [answer.unavailable_reason for answer in answers] == [
        "QUESTION_MISSING", "VIDEO_URL_MISSING", "VIDEO_URL_MISSING", "QUESTION_MISSING",
    ]  # fmt: skip
    assert [answer.position for answer in answers] == [1, 2, 3, 4]


async def test_links_and_rubrics_reach_the_orchestrator_before_the_answer(bench: Bench) -> None:
    items = (interview(rubric="technical"), interview(positionId=2))

    reply = await bench.http.post("/upload_json", json=body(*items, rubric="behavioural"))

    draft = bench.orchestrator.drafts[reply.json()["session_id"]]
    assert (draft.rubric_id, [answer.link for answer in draft.answers]) == ("behavioural", [DRIVE, DRIVE])
    assert [(answer.rubric_id, answer.uri) for answer in draft.answers] == [("technical", ""), ("", "")]


async def test_an_orchestrator_that_is_away_is_said_and_nothing_is_accepted(bench: Bench) -> None:
    bench.orchestrator.failure = UnavailableError("Away.", reason="ORCHESTRATOR_UNAVAILABLE")

    reply = await bench.http.post("/upload_json", json=body(interview()))

    assert (reply.status_code, reply.json()["code"]) == (503, "ORCHESTRATOR_UNAVAILABLE")
    assert not bench.orchestrator.drafts
