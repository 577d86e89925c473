"""The page's frame, health, keys, settings: what the gateway is besides its sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from tests.folders import ROOT
from tests.gateway_bench import Bench, api_key

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_browsers_get_the_page_and_programs_the_originals_greeting(bench: Bench) -> None:
    page = await bench.http.get("/", headers={"Accept": "text/html,*/*"})
    greeting = await bench.http.get("/", headers={"Accept": "application/json"})

    assert page.headers["Content-Type"].startswith("text/html")
    assert greeting.json()["message"] == "AI Interview Assessment System"
    assert greeting.json()["endpoints"]["upload"] == "POST /upload"


@pytest.mark.parametrize("name", ["index.html", "docs.html"])
def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(name: str) -> None:
    text = (ROOT / "gateway" / "static" / name).read_text()

    assert "http://" not in text
    assert "https://" not in text
    assert "<script>" not in text
    assert "style=" not in text
    assert "onclick" not in text


def test_the_page_never_writes_html_from_data() -> None:
    for path in (ROOT / "gateway" / "static").glob("*.js"):
        text = path.read_text()
        assert not [
            word
            for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
            if word in text
        ]


async def test_scripts_are_asked_about_each_time(bench: Bench) -> None:
    reply = await bench.http.get("/static/app.js")
    again = await bench.http.get("/static/app.js", headers={"If-None-Match": reply.headers["ETag"]})

    assert (reply.status_code, again.status_code) == (200, 304)
    assert reply.headers["Cache-Control"] == "no-cache"
    assert (await bench.http.get("/static/%2e%2e/settings.py")).status_code == 404


async def test_every_answer_carries_security_headers_and_a_request_id(bench: Bench) -> None:
    reply = await bench.http.get("/healthz", headers={"X-Request-ID": "abc-1"})
    strange = await bench.http.get("/healthz", headers={"X-Request-ID": "a b<script>"})

    assert reply.headers["X-Request-ID"] == "abc-1"
    assert len(strange.headers["X-Request-ID"]) == 32
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_ready_means_that_sessions_can_be_taken(bench: Bench) -> None:
    ready = await bench.http.get("/readyz")
    bench.orchestrator.go_down()
    away = await bench.http.get("/readyz")

    assert ready.status_code == 200
    assert (away.status_code, away.json()["code"]) == (503, "ORCHESTRATOR_UNAVAILABLE")
    assert (await bench.http.get("/healthz")).status_code == 200


async def test_metrics_count_requests_by_route_and_hold_no_session_id(bench: Bench) -> None:
    await bench.http.get(f"/status/{'7' * 32}")

    text = (await bench.http.get("/metrics")).text

    assert 'interview_http_seconds_count{method="GET",route="/status/{session_id}",status="404"}' in text
    assert "7" * 32 not in text


async def test_unknown_paths_and_methods_are_answered_in_the_one_shape(bench: Bench) -> None:
    unknown = await bench.http.get("/nothing")
    method = await bench.http.put("/upload")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
    assert (method.status_code, method.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert unknown.json()["success"] is False


async def test_a_bug_is_answered_without_its_details(bench: Bench) -> None:
    bench.orchestrator.failure = ZeroDivisionError("secret detail")  # type: ignore[assignment]

    reply = await bench.http.get(f"/status/{'0' * 32}")

    assert (reply.status_code, reply.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in reply.text


def test_a_public_address_without_keys_is_refused_unless_told() -> None:
    with pytest.raises(ValidationError, match="GATEWAY_API_KEYS"):
        GatewaySettings(host="0.0.0.0")  # noqa: S104

    assert GatewaySettings(host="0.0.0.0", allow_anonymous=True).port == 7860  # noqa: S104
    assert GatewaySettings(host="0.0.0.0", api_keys=(api_key("x"),))  # noqa: S104
    assert GatewaySettings(host="0.0.0.0", keys_file=Path("keys.json"))  # noqa: S104
    assert GatewaySettings(host="::1")


@pytest.mark.parametrize("value", ["", ".", "/"])
def test_a_variable_that_names_no_file_of_keys_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("GATEWAY_KEYS_FILE", value)

    # Neither as if no key was asked for, nor as if one was and nobody had it.
    with pytest.raises(ValidationError, match="names no file"):
        GatewaySettings()


def test_keys_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GATEWAY_API_KEYS", '[{"name": "a", "sha256": "' + "0" * 64 + '", "scopes": ["read"]}]'
    )
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", '["https://hr.example"]')

    settings = GatewaySettings()

    assert settings.api_keys[0].scopes == ("read",)
    assert settings.cors_origins == ("https://hr.example",)


@pytest.mark.parametrize(
    "values",
    [
        {"rate_limit_uploads": "often"},
        {"max_file_bytes": 600_000_000},
        {"max_file_count": 0},
        {"cookie_secrets": ("short",)},
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings(**values)
