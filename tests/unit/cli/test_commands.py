"""The `interview` command: what is sent, what is printed, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from cli.app import run
from tests.fakes.cli import (
    SESSION_ID,
    FakeGateway,
    FakeModelSource,
    Screen,
    error,
    event_stream,
    result_document,
    session_state,
)

ACCEPTED = httpx.Response(200, json={"success": True, "session_id": SESSION_ID, "uploaded_videos": 1})


@pytest.fixture
def gateway() -> FakeGateway:
    fake = FakeGateway()
    fake.on("POST", "/upload", ACCEPTED)
    fake.on("GET", f"/sessions/{SESSION_ID}/events", event_stream(session_state("completed")))
    fake.on("GET", f"/status/{SESSION_ID}", httpx.Response(200, json=session_state("processing")))
    fake.on("GET", f"/results/{SESSION_ID}", httpx.Response(200, json=result_document()))
    return fake


@pytest.fixture
def screen(gateway: FakeGateway) -> Screen:
    return Screen(gateway)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "one.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" * 1000)
    return path


def test_submit_sends_the_recording_with_its_question(
    gateway: FakeGateway, screen: Screen, video: Path
) -> None:
    code = run(["submit", str(video), "-q", "What happened?", "--name", "A. Name"], screen.environment)

    assert code == 0
    upload, body = gateway.requests[0], gateway.bodies[0]
    assert int(upload.headers["content-length"]) == len(body)
    assert video.read_bytes() in body
    assert b"What happened?" in body
    assert b'name="videos"; filename="one.mp4"' in body
    assert str(video.parent).encode() not in body
    assert len(upload.headers["idempotency-key"]) == 32


def test_submit_sends_the_rubric(gateway: FakeGateway, screen: Screen, video: Path) -> None:
    assert run(["submit", str(video), "--rubric", "technical", "--no-watch"], screen.environment) == 0
    assert b'name="rubric"\r\n\r\ntechnical' in gateway.bodies[0]


def test_submit_without_questions_says_how_many_answers_there_are(
    gateway: FakeGateway, screen: Screen, video: Path
) -> None:
    assert run(["submit", str(video), "--no-watch"], screen.environment) == 0
    assert b'name="jumlah_pertanyaan"\r\n\r\n1' in gateway.bodies[0]


def test_submit_shows_the_result_at_the_end(screen: Screen, video: Path) -> None:
    assert run(["submit", str(video)], screen.environment) == 0
    assert "It broke." in screen.out
    assert "no_face" in screen.out
    assert SESSION_ID in screen.err


def test_submit_without_watching_prints_the_identifier_alone(screen: Screen, video: Path) -> None:
    assert run(["submit", str(video), "--no-watch"], screen.environment) == 0
    assert screen.out.strip() == SESSION_ID


def test_json_goes_to_standard_output_and_nothing_else_does(screen: Screen, video: Path) -> None:
    assert run(["submit", str(video), "--json"], screen.environment) == 0
    assert json.loads(screen.out) == result_document()


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_session_that_did_not_complete_is_exit_code_1(
    gateway: FakeGateway, screen: Screen, video: Path, state: str
) -> None:
    final = session_state(state, code="NO_GOOD_ANSWER", error="No answer could be assessed.")
    gateway.on("GET", f"/sessions/{SESSION_ID}/events", event_stream(final))

    assert run(["submit", str(video)], screen.environment) == 1
    assert "No answer could be assessed. (NO_GOOD_ANSWER)" in screen.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["submit"], ""),
        (["submit", "absent.mp4"], "FILE_NOT_FOUND"),
        (["submit", "{video}", "-q", "one", "-q", "two"], "QUESTION_COUNT_MISMATCH"),
        (["submit", "{video}", "--rubric", "general", "--rubric", "technical"], "RUBRIC_COUNT_MISMATCH"),
        (["status", SESSION_ID, "--gateway", "http://[broken"], "GATEWAY_URL_INVALID"),
        (["status", SESSION_ID, "--gateway", "localhost:7860"], "GATEWAY_URL_INVALID"),
        (["models", "fetch"], "MODEL_NAMES_MISSING"),
        (["models", "fetch", "no-such-model"], "MODEL_UNKNOWN"),
        (["demo", "--clip", "absent"], "DEMO_CLIP_MISSING"),
        (["no-such-command"], ""),
    ],
)
def test_wrong_usage_is_exit_code_2_and_sends_nothing(
    gateway: FakeGateway, screen: Screen, video: Path, arguments: list[str], code: str
) -> None:
    filled = [argument.format(video=video) for argument in arguments]

    assert run(filled, screen.environment) == 2
    assert code in screen.err
    assert gateway.requests == []


def test_an_empty_file_is_not_sent(gateway: FakeGateway, screen: Screen, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()

    assert run(["submit", str(empty)], screen.environment) == 2
    assert "(FILE_EMPTY)" in screen.err
    assert gateway.requests == []


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        error(503, "UPLOADS_FULL", "Too many uploads."),
        error(429, "RATE_LIMITED", "Too many uploads in this hour."),
        httpx.Response(200, text="<html>another program</html>"),
    ],
)
def test_a_gateway_that_can_not_take_it_is_exit_code_3(
    gateway: FakeGateway, screen: Screen, video: Path, trouble: httpx.Response | Exception
) -> None:
    gateway.on("POST", "/upload", trouble)

    assert run(["submit", str(video)], screen.environment) == 3
    assert screen.err.count("error:") == 1
    assert "Traceback" not in screen.err


@pytest.mark.parametrize(
    "command", ["watch", "status", "results", "cancel", "retry", "delete --yes", "subtitles"]
)
def test_an_unknown_session_is_exit_code_4(screen: Screen, command: str) -> None:
    assert run([*command.split(), "f" * 32], screen.environment) == 4
    assert "There is no such session. (SESSION_NOT_FOUND)" in screen.err


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 415, 422])
def test_what_the_gateway_refuses_is_exit_code_5_with_its_own_sentence(
    gateway: FakeGateway, screen: Screen, video: Path, status: int
) -> None:
    gateway.on("POST", "/upload", error(status, "NOT_A_VIDEO", "Video 1 is not a video [really]."))

    assert run(["submit", str(video)], screen.environment) == 5
    assert "Video 1 is not a video [really]. (NOT_A_VIDEO)" in screen.err


def test_ctrl_c_is_exit_code_130(gateway: FakeGateway, screen: Screen, video: Path) -> None:
    class Interrupted(FakeGateway):
        def handle(self, request: httpx.Request) -> httpx.Response:
            raise KeyboardInterrupt

    assert run(["submit", str(video)], Screen(Interrupted()).environment) == 130


def test_a_bug_is_a_sentence_too(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakeModelSource):
        def fetch(self, *_: object) -> None:
            raise ZeroDivisionError

    monkeypatch.delenv("INTERVIEW_DEBUG", raising=False)
    broken = Screen(FakeGateway(), Broken())

    assert run(["models", "fetch", "whisper-base"], broken.environment) == 1
    assert "(INTERNAL)" in broken.err
    assert "Traceback" not in broken.err


def test_the_api_key_travels_in_its_header(
    gateway: FakeGateway, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERVIEW_API_KEY", "secret")

    assert run(["status", SESSION_ID], screen.environment) == 0
    assert gateway.requests[0].headers["x-api-key"] == "secret"
    assert "secret" not in screen.out + screen.err


def test_an_identifier_is_never_a_path_of_its_own(gateway: FakeGateway, screen: Screen) -> None:
    assert run(["status", "../healthz?x"], screen.environment) == 4
    assert gateway.requests[0].url.raw_path == b"/status/..%2Fhealthz%3Fx"


def test_status_shows_every_stage(screen: Screen) -> None:
    assert run(["status", SESSION_ID], screen.environment) == 0
    assert "transcribe" in screen.out
    assert "40 %" in screen.out


def test_results_are_written_to_a_file(screen: Screen, tmp_path: Path) -> None:
    target = tmp_path / "result.json"

    assert run(["results", SESSION_ID, "--output", str(target)], screen.environment) == 0
    assert json.loads(target.read_text(encoding="utf-8")) == result_document()
    assert screen.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_target_that_can_not_be_written_is_said(screen: Screen, tmp_path: Path) -> None:
    assert run(["results", SESSION_ID, "-o", str(tmp_path / "no" / "r.json")], screen.environment) == 1
    assert "(OUTPUT_NOT_WRITABLE)" in screen.err


def test_retry_says_that_the_session_runs_again(gateway: FakeGateway, screen: Screen) -> None:
    gateway.on("POST", f"/sessions/{SESSION_ID}/retry", httpx.Response(200, json=session_state("queued")))

    assert run(["retry", SESSION_ID], screen.environment) == 0
    assert f"{SESSION_ID}: queued" in screen.out


def test_cancel_and_delete_say_what_they_did(gateway: FakeGateway, screen: Screen) -> None:
    gateway.on("POST", f"/sessions/{SESSION_ID}/cancel", httpx.Response(200, json=session_state("cancelled")))
    gateway.on("DELETE", f"/sessions/{SESSION_ID}", httpx.Response(200, json={"success": True}))

    assert run(["cancel", SESSION_ID], screen.environment) == 0
    assert run(["delete", SESSION_ID, "--yes"], screen.environment) == 0
    assert f"{SESSION_ID}: cancelled" in screen.out
    assert f"{SESSION_ID}: deleted" in screen.out


def test_list_shows_a_page_and_where_the_next_begins(gateway: FakeGateway, screen: Screen) -> None:
    page = {"success": True, "sessions": [session_state("completed")], "next_page_token": "after-this"}
    gateway.on("GET", "/sessions", httpx.Response(200, json=page))

    assert run(["list", "--count", "1", "--state", "completed"], screen.environment) == 0
    assert dict(gateway.requests[0].url.params) == {"page_size": "1", "state": "completed"}
    assert SESSION_ID in screen.out
    assert "A. [bold] Name" in screen.out
    assert "--page-token after-this" in screen.err


def test_models_are_fetched_to_where_they_are_wanted(tmp_path: Path) -> None:
    models = FakeModelSource()
    screen = Screen(FakeGateway(), models)

    assert run(["models", "fetch", "whisper-base", "--to", str(tmp_path)], screen.environment) == 0
    assert models.asked == (["whisper-base"], tmp_path)
    assert "whisper-base: complete" in screen.err


def test_all_models_means_the_whole_catalogue(tmp_path: Path) -> None:
    models = FakeModelSource()

    assert (
        run(["models", "fetch", "--all", "--to", str(tmp_path)], Screen(FakeGateway(), models).environment)
        == 0
    )
    assert models.asked is not None
    assert "face-landmarker" in models.asked[0]


def test_the_list_of_models_says_what_is_here(tmp_path: Path) -> None:
    screen = Screen(FakeGateway())

    assert run(["models", "list", "--to", str(tmp_path), "--json"], screen.environment) == 0
    states = {row["name"]: row["state"] for row in json.loads(screen.out)["models"]}
    assert states["whisper-base"] == "no"
