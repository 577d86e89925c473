"""The API's documentation: valid by the standard, complete, and kept by real answers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.openapi import RESULT_COMPONENT
from gateway.reasons import REASONS
from gateway.sessions import AnswerView, SessionState, SessionView, StageState, StageView
from tests.fakes.orchestrator import STAGES
from tests.folders import ROOT
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio

SESSION_ID = "0" * 32
UNKNOWN_ID = "f" * 32
GOLDEN = json.loads((ROOT / "tests" / "unit" / "orchestrator" / "result" / "golden.json").read_text())
ROW = re.compile(r"^\| `([A-Z_]+)` \|(?:[^|]*\|)?[^|0-9]*([1-5][0-9]{2}) \|", re.MULTILINE)
"""A reason of `docs/errors.md` that has an HTTP status."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def document(bench: Bench) -> dict[str, Any]:
    return bench.app.openapi()


def check(document: dict[str, Any], path: str, method: str, reply: httpx.Response) -> None:
    """Assert that an answer is one of those that the document describes."""
    described = document["paths"][path][method]["responses"][str(reply.status_code)]
    media_type = reply.headers.get("content-type", "").partition(";")[0]
    if not reply.content:
        assert "content" not in described
        return
    schema = described["content"][media_type]["schema"]
    if media_type.endswith("json"):
        whole = schema | {"components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(reply.json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, of in document["paths"].items() for method, op in of.items()]


def a_session(state: SessionState, **changes: Any) -> SessionView:
    stages = tuple(StageView(stage, StageState.FAILED, 0.5, 1, "ODD", "Odd.") for stage in STAGES)
    answers = (AnswerView(1, stages, assessed=False),)
    return replace(SessionView(SESSION_ID, state, 1.0, answers=answers, candidate_name="A"), **changes)


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_says_what_it_does_and_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(set(names)) == len(names)
    assert all(operation["description"] for _, _, operation in operations(document))


def test_every_reason_with_an_http_status_is_in_the_document(document: dict[str, Any]) -> None:
    documented = {
        name: int(status) for name, status in ROW.findall((ROOT / "docs" / "errors.md").read_text())
    }
    found: dict[str, int] = {}
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            for name, example in (
                answer.get("content", {}).get("application/json", {}).get("examples", {}).items()
            ):
                assert example["value"]["code"] == name
                found[name] = int(status)

    assert {name: reason.status for name, reason in REASONS.items()} == documented
    # Where no operation is, none can describe it.
    assert set(documented) - set(found) == {"NOT_FOUND", "METHOD_NOT_ALLOWED"}
    assert found.items() <= documented.items()


def test_the_key_is_declared_with_the_scope_that_each_operation_needs(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]

    assert (schemes["key"]["in"], schemes["key"]["name"]) == ("header", "X-API-Key")
    assert schemes["cookie"]["in"] == "cookie"
    assert document["paths"]["/upload"]["post"]["security"] == [
        {"key": ["submit"]},
        {"person": ["submit"]},
        {},
    ]
    assert document["paths"]["/status/{session_id}"]["get"]["security"] == [
        {"key": ["read"]},
        {"cookie": ["read"]},
        {"person": ["read"]},
        {},
    ]
    assert document["paths"]["/sessions/{session_id}"]["delete"]["security"] == [
        {"key": ["manage"]},
        {"person": ["manage"]},
        {},
    ]
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_streams_and_recordings_have_their_media_types(document: dict[str, Any]) -> None:
    events = document["paths"]["/sessions/{session_id}/events"]["get"]["responses"]
    media = document["paths"]["/media/{session_id}/{position}"]["get"]["responses"]

    assert set(events["200"]["content"]) == {"text/event-stream"}
    data = events["200"]["content"]["text/event-stream"]["x-event-data"]
    assert {name: ref["$ref"].rpartition("/")[2] for name, ref in data.items()} == {
        "session": "StatusAnswer",
        "problem": "ErrorAnswer",
    }
    assert "content" not in events["204"]
    assert set(media["206"]["content"]) == set(media["200"]["content"]) >= {"video/mp4", "video/webm"}
    assert "416" in media


def test_every_example_is_as_its_schema_says(document: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator
    components = {"components": document["components"]}
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []) if not name.startswith(RESULT_COMPONENT) else []:
            validator(schema | components).validate(example)
    for _, _, operation in operations(document):
        answers = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in [body for answer in answers for body in answer.get("content", {}).values()]:
            values = [example["value"] for example in content.get("examples", {}).values()]
            for value in values + ([content["example"]] if "example" in content else []):
                validator(content["schema"] | components).validate(value)


async def test_the_results_schema_is_served_and_stands_in_the_document(
    bench: Bench, document: dict[str, Any]
) -> None:
    reply = await bench.http.get("/schemas/result.json")
    check(document, "/schemas/result.json", "get", reply)
    parts = [name for name in document["components"]["schemas"] if name.startswith(f"{RESULT_COMPONENT}.")]

    assert reply.headers["content-type"] == "application/schema+json"
    assert len(parts) == len(reply.json()["$defs"])
    assert "#/$defs/" not in json.dumps(document)
    jsonschema.Draft202012Validator.check_schema(reply.json())
    jsonschema.Draft202012Validator(reply.json()).validate(GOLDEN)


@pytest.mark.parametrize("state", list(SessionState))
async def test_every_state_is_answered_as_described(
    bench: Bench, document: dict[str, Any], state: SessionState
) -> None:
    bench.orchestrator.set(a_session(state, remaining_s=3.0))
    legacy = {"ngrok-skip-browser-warning": "1"}

    for headers in ({}, legacy):
        check(
            document,
            "/status/{session_id}",
            "get",
            await bench.http.get(f"/status/{SESSION_ID}", headers=headers),
        )
    check(document, "/sessions", "get", await bench.http.get("/sessions"))
    check(
        document,
        "/sessions/{session_id}/retry",
        "post",
        await bench.http.post(f"/sessions/{SESSION_ID}/retry"),
    )
    check(
        document,
        "/sessions/{session_id}/cancel",
        "post",
        await bench.http.post(f"/sessions/{SESSION_ID}/cancel"),
    )


async def test_a_sessions_whole_life_is_answered_as_described(bench: Bench, document: dict[str, Any]) -> None:
    http = bench.http
    uploaded = await http.post("/upload?jumlah_pertanyaan=3", files=videos(MP4), data=form("Why?"))
    check(document, "/upload", "post", uploaded)
    session_id = uploaded.json()["session_id"]
    early = await http.get(f"/results/{session_id}")
    bench.orchestrator.finish(session_id, GOLDEN)
    reassessed = await http.post(f"/sessions/{session_id}/reassess", json={"rubric_id": "technical"})

    assert (uploaded.status_code, early.status_code, reassessed.status_code) == (200, 409, 200)
    check(document, "/results/{session_id}", "get", early)
    for path in ("/results/{session_id}", "/results/{session_id}.json"):
        check(document, path, "get", await http.get(path.format(session_id=session_id) + "?version=1"))
    check(document, "/sessions/{session_id}/reassess", "post", reassessed)
    for path in ("/status/{session_id}", "/sessions/{session_id}/versions", "/sessions/{session_id}/events"):
        check(document, path, "get", await http.get(path.format(session_id=session_id)))
    check(document, "/media/{session_id}/{position}", "get", await http.get(f"/media/{session_id}/1"))
    check(document, "/sessions/{session_id}", "delete", await http.delete(f"/sessions/{session_id}"))


@pytest.mark.parametrize(
    ("method", "path", "values", "status"),
    [
        ("get", "/status/{session_id}", {}, 404),
        ("get", "/results/{session_id}", {}, 404),
        ("get", "/results/{session_id}", {"params": {"version": "0"}}, 422),
        ("get", "/sessions/{session_id}/events", {}, 404),
        ("get", "/media/{session_id}/{position}", {}, 404),
        ("delete", "/sessions/{session_id}", {}, 404),
        ("get", "/sessions", {"params": {"state": "lost"}}, 400),
        ("get", "/sessions", {"params": {"page_size": "0"}}, 422),
        ("post", "/sessions/{session_id}/reassess", {"content": b"{"}, 422),
        ("post", "/upload", {"content": b""}, 415),
        ("post", "/upload", {"headers": {"Origin": "https://evil.example"}}, 403),
        ("post", "/upload_json", {"content": b"{"}, 400),
        ("get", "/rubrics", {}, 200),
        ("get", "/languages", {}, 200),
        ("get", "/healthz", {}, 200),
        ("get", "/readyz", {}, 200),
    ],
)
async def test_other_answers_are_as_described(
    bench: Bench, document: dict[str, Any], method: str, path: str, values: dict[str, Any], status: int
) -> None:
    reply = await bench.http.request(method, path.format(session_id=UNKNOWN_ID, position=1), **values)

    assert reply.status_code == status
    check(document, path, method, reply)


@pytest.mark.parametrize("path", ["/status/{session_id}", "/results/{session_id}", "/sessions", "/readyz"])
async def test_an_orchestrator_that_is_away_is_answered_as_described(
    bench: Bench, document: dict[str, Any], path: str
) -> None:
    bench.orchestrator.go_down()
    reply = await bench.http.get(path.format(session_id=UNKNOWN_ID))

    assert reply.status_code == 503
    check(document, path, "get", reply)
