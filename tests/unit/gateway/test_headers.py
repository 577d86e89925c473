"""The headers that protect a browser, on whatever is answered."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from tests.gateway_bench import MP4, Bench, api_key, form, listening, videos

pytestmark = pytest.mark.anyio

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DIRECTIVES = ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'")
HTML = {"Accept": "text/html"}
ANSWERS: list[tuple[str, str, dict[str, str], int]] = [
    ("GET", "/", HTML, 200),
    ("GET", "/docs", HTML, 200),
    ("GET", "/static/app.js", {}, 200),
    ("GET", "/openapi.json", {}, 200),
    ("GET", "/sessions", {}, 200),
    ("GET", "/sessions?page_size=0", {}, 422),
    ("GET", "/nothing", {}, 404),
    ("GET", "/static/", {}, 404),
    ("TRACE", "/", {}, 405),
    ("POST", "/upload", {}, 415),
    ("POST", "/upload", {"Origin": "https://evil.example"}, 403),
    ("GET", "/", {"Host": "evil.example"}, 421),
]
HTTPS = "https://127.0.0.1:7860"


def check(reply: httpx.Response) -> None:
    """Fail unless an answer has every header of protection, and a number to ask the operator about."""
    policy = reply.headers["Content-Security-Policy"]
    assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    assert [part for part in DIRECTIVES if part not in policy] == []
    assert "unsafe" not in policy
    assert reply.headers["Cache-Control"]
    assert "Server" not in reply.headers


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS)
async def test_every_kind_of_answer_carries_the_headers(
    tmp_path: Path, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    reply = await Bench(tmp_path).http.request(method, path, headers=headers)

    assert reply.status_code == status
    check(reply)
    assert len(reply.headers["X-Request-ID"]) == 32


async def test_a_bug_is_answered_with_the_headers_and_the_number_that_its_message_names(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    bench.orchestrator.failure = ZeroDivisionError("secret detail")  # type: ignore[assignment]

    reply = await bench.http.get(f"/status/{'0' * 32}", headers={"X-Request-ID": "abc-1"})

    assert reply.status_code == 500
    check(reply)
    assert "X-Request-ID" in reply.json()["message"]
    assert reply.headers["X-Request-ID"] == "abc-1"


def test_what_is_no_http_is_refused_with_the_headers_too(tmp_path: Path) -> None:
    with listening(Bench(tmp_path).app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            raw.sendall(b"this is no request\r\n\r\n")
            answer = http.client.HTTPResponse(raw)
            answer.begin()
            reply = httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())

    assert (reply.status_code, reply.json()["code"]) == (400, "HTTP_INVALID")
    check(reply)


async def test_nothing_about_a_session_is_kept_by_a_cache(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    upload = await bench.http.post("/upload", files=videos(MP4), data=form("?"))
    session_id = upload.json()["session_id"]

    bench.orchestrator.finish(session_id, {"status": "completed"})
    paths = [
        f"/status/{session_id}",
        f"/results/{session_id}",
        f"/sessions/{session_id}/versions",
        f"/sessions/{session_id}/events",
        f"/media/{session_id}/1",
        f"/media/{session_id}/9",
        "/sessions",
        "/usage",
        "/nothing",
    ]
    answers = [upload, *[await bench.http.get(path) for path in paths]]
    answers += [  # A part of a recording, and one that there is not.
        await bench.http.get(f"/media/{session_id}/1", headers={"Range": wanted})
        for wanted in ("bytes=0-9", "bytes=999999999-")
    ]
    answers += [
        await bench.http.head(f"/media/{session_id}/1"),
        await bench.http.delete(f"/sessions/{session_id}"),
    ]

    assert [reply.status_code for reply in answers] == [*[200] * 6, 404, 200, 200, 404, 206, 416, 200, 200]
    for reply in answers:
        assert reply.headers["Cache-Control"] == "no-store", reply.url


async def test_over_https_browsers_are_told_to_stay_there_where_the_operator_wants_that(
    tmp_path: Path,
) -> None:
    name = "Strict-Transport-Security"
    told, untold = Bench(tmp_path / "1", hsts_max_age_s=31_536_000), Bench(tmp_path / "2")

    assert (await told.http.get(f"{HTTPS}/")).headers[name] == "max-age=31536000"
    assert name not in (await told.http.get("/")).headers
    assert name not in (await untold.http.get(f"{HTTPS}/")).headers
    with pytest.raises(ValidationError):
        GatewaySettings(hsts_max_age_s=-1)


async def test_over_https_the_cookie_has_a_name_that_only_this_host_can_set(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret"),))
    path = f"/status/{'0' * 32}"

    reply = await bench.http.post(f"{HTTPS}/login", headers={"X-API-Key": "s3cret"})
    set_cookie = reply.headers.get_list("Set-Cookie")[-1]
    name, _, value = set_cookie.partition(";")[0].partition("=")

    assert name == "__Host-interview_reader"
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(set_cookie.split("; "))
    assert "Domain" not in set_cookie
    assert len(set_cookie) < 4096
    bench.http.cookies.clear()

    async def status(address: str, cookie: str) -> int:
        headers: dict[str, Any] = {"Cookie": f"{cookie}={value}"}
        return (await bench.http.get(address + path, headers=headers)).status_code

    assert await status(HTTPS, name) == 404  # Let in: there is no such session.
    assert await status(HTTPS, "interview_reader") == 403  # Another host of the domain may have set it.
    assert await status("http://127.0.0.1:7860", "interview_reader") == 404


async def test_signing_out_takes_the_cookie_and_what_was_kept_of_recordings(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret"),))
    for base, name in ((HTTPS, "__Host-interview_reader"), ("http://127.0.0.1:7860", "interview_reader")):
        await bench.http.post(f"{base}/login", headers={"X-API-Key": "s3cret"})
        before = await bench.http.get(f"{base}/status/{'0' * 32}")

        reply = await bench.http.post(f"{base}/logout")

        assert (before.status_code, reply.status_code) == (404, 204)
        assert reply.headers["Clear-Site-Data"] == '"cache"'
        taken = [line for line in reply.headers.get_list("Set-Cookie") if line.startswith(f"{name}=")]
        assert "Max-Age=0" in taken[0]
        assert ("Secure" in taken[0]) == (base == HTTPS)  # Else a browser does not take the name.
        assert (await bench.http.get(f"{base}/status/{'0' * 32}")).status_code == 403
