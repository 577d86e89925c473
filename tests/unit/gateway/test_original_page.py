"""The original's page, served with a cookie: what its visitors may do, and what not."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from gateway.auth import utc_now
from gateway.callers import current_client
from gateway.original_page import MAX_SESSION_COUNT, policy_of
from gateway.sealed import MAX_SEALED_CHARACTERS, Seal
from gateway.sessions import SessionView
from gateway.settings import GatewaySettings
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, Bench, api_key, form, videos
from tests.original_client import write_client

pytestmark = pytest.mark.anyio

OURS = {"Origin": "http://127.0.0.1:7860"}
COOKIE = "interview_original_page"
PAGE_KEY = api_key("s3cret", "page", group="campus", scopes=("submit", "read"))
LINKS = {
    "success": True,
    "data": {
        "candidate": {"name": "A"},
        "reviewChecklists": {
            "interviews": [
                {
                    "positionId": 1,
                    "question": "?",
                    "isVideoExist": True,
                    "recordedVideoUrl": "https://a.example/b",
                }
            ]
        },
    },
}


class GroupedOrchestrator(FakeOrchestrator):
    """Notes in whose name it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.groups_asked: list[frozenset[str] | None] = []

    async def get_session(self, session_id: str) -> SessionView:
        self.groups_asked.append(current_client.get().groups)
        return await super().get_session(session_id)


def bench(folder: Path, *keys: Any, **settings: Any) -> Bench:
    client = write_client(folder / "client")
    options: dict[str, Any] = {"original_page_dir": client, "original_page_key": "page"} | settings
    return Bench(folder, GroupedOrchestrator(), api_keys=keys or (PAGE_KEY,), **options)


def another_browser(of: Bench) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(of.app, raise_app_exceptions=False), base_url="http://127.0.0.1:7860"
    )


async def submit(http: httpx.AsyncClient, **headers: str) -> str:
    reply = await http.post("/upload", files=videos(MP4), data=form("Why?"), headers=OURS | headers)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["session_id"])


def code_of(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json().get("code", "")


async def test_the_page_gives_its_visitor_a_cookie_and_holds_no_key(tmp_path: Path) -> None:
    site = bench(tmp_path)

    for path in ("/original/", "/original/Upload.html"):
        page = await site.http.get(path)
        kept = page.headers["Set-Cookie"]
        assert page.status_code == 200
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=3600"} <= set(kept.split("; "))
        assert page.headers["Cache-Control"] == "no-store"
        for secret in ("s3cret", PAGE_KEY.sha256, "campus"):
            assert secret not in page.text + kept
    script = await site.http.get("/original/Upload.js")
    assert (script.status_code, "Set-Cookie" in script.headers) == (200, False)
    for path in (
        "/original/.env",
        "/original/../settings.py",
        "/original/%2e%2e/store",
        "/original/none.html",
    ):
        assert (await site.http.get(path)).status_code == 404
    assert (
        "__Host-" + COOKIE in (await site.http.get("https://127.0.0.1:7860/original/")).headers["Set-Cookie"]
    )


async def test_a_visitor_submits_and_follows_what_it_submitted_and_nothing_else(tmp_path: Path) -> None:
    site = bench(tmp_path)
    http, other = site.http, another_browser(site)
    assert code_of(await http.post("/upload", headers=OURS)) == (403, "API_KEY_INVALID")
    await http.get("/original/")
    await other.get("/original/")
    session_id = await submit(http)
    linked = (await http.post("/upload_json", json=LINKS, headers=OURS)).json()["session_id"]
    foreign = await submit(other)
    site.orchestrator.finish(session_id, {"success": True})

    for own in (session_id, linked, session_id.upper()):
        assert (await http.get(f"/status/{own}")).status_code == 200
    for path in (f"/results/{session_id}", f"/results/{session_id}.json"):
        assert (await http.get(path)).json() == {"success": True}
    await http.get("/original/Upload.html")  # a visit forgets nothing
    assert (await http.get(f"/status/{session_id}")).status_code == 200
    for method, path in (
        ("GET", "/sessions"),
        ("GET", f"/media/{session_id}/1"),
        ("GET", f"/sessions/{session_id}/events"),
        ("GET", f"/sessions/{session_id}/versions"),
        ("POST", f"/sessions/{session_id}/cancel"),
        ("DELETE", f"/sessions/{session_id}"),
        ("GET", "/metrics"),
        ("GET", "/usage"),
        ("POST", "/login"),
        ("GET", "/whoami"),
    ):
        assert code_of(await http.request(method, path, headers=OURS)) == (403, "API_KEY_INVALID"), path
    assert (await http.get("/status/x")).status_code == 400
    assert foreign != session_id


async def test_a_session_of_others_is_asked_for_in_the_name_of_nobody(tmp_path: Path) -> None:
    site = bench(tmp_path)
    await site.http.get("/original/")
    session_id = await submit(site.http)
    orchestrator = site.orchestrator
    assert isinstance(orchestrator, GroupedOrchestrator)
    orchestrator.groups_asked.clear()

    await site.http.get(f"/status/{session_id}")
    await site.http.get(f"/status/{'0' * 32}")

    own, foreign = orchestrator.groups_asked
    assert own == frozenset({"campus"})
    assert foreign is not None
    assert not foreign & {"campus", "", "page"}


async def test_no_other_page_submits_by_the_cookie(tmp_path: Path) -> None:
    site = bench(tmp_path)
    await site.http.get("/original/")

    for headers in ({}, {"Origin": "http://localhost:5500"}, {"Origin": "http://127.0.0.1:5500"}):
        reply = await site.http.post("/upload", files=videos(MP4), data=form("?"), headers=headers)
        assert code_of(reply) == (403, "ORIGIN_FORBIDDEN"), headers


async def test_a_visit_ends_with_its_time_and_with_its_key(tmp_path: Path) -> None:
    site = bench(tmp_path, original_page_lifetime_s=60)
    await site.http.get("/original/")
    session_id = await submit(site.http)
    browsers = site.gateway.browsers

    site.gateway.browsers = replace(browsers, now=lambda: utc_now() + timedelta(seconds=62))
    assert code_of(await site.http.get(f"/status/{session_id}")) == (403, "API_KEY_INVALID")
    for number, key in enumerate(
        (
            api_key("s3cret", "page", expires=utc_now() - timedelta(seconds=1)),
            api_key("s3cret", "another"),
            api_key("s3cret", "page", scopes=("read",)),
        )
    ):
        site = bench(tmp_path / str(number), key)
        await site.http.get("/original/")
        reply = await site.http.post("/upload", files=videos(MP4), data=form("?"), headers=OURS)
        assert code_of(reply) == (403, "API_KEY_INVALID")


async def test_visitors_are_limited_by_their_addresses_and_counted_for_the_key(tmp_path: Path) -> None:
    site = bench(tmp_path, rate_limit_uploads="1/hour")
    await site.http.get("/original/")
    await submit(site.http)
    again = await site.http.post("/upload", files=videos(MP4), data=form("?"), headers=OURS)
    transport = httpx.ASGITransport(site.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as elsewhere:
        await elsewhere.get("/original/")
        await submit(elsewhere)

    assert code_of(again) == (429, "RATE_LIMITED")
    ((_, name, used),) = await site.gateway.usage.by_day(1)
    assert (name, used.session_count) == ("page:page", 2)


async def test_the_cookie_stays_small(tmp_path: Path) -> None:
    page = bench(tmp_path).gateway.browsers.page
    names = [f"{number:032x}" for number in range(MAX_SESSION_COUNT + 5)]

    cookie = page.cookie_for(names, utc_now())

    assert len(cookie) < MAX_SEALED_CHARACTERS
    assert page.sessions_of(cookie, utc_now()) == tuple(names[5:])
    assert (
        page.sessions_of(Seal([b"x" * 32], "original-page", 60).seal({"sessions": []}, utc_now()), utc_now())
        is None
    )


def test_only_scripts_that_stand_in_the_page_may_run() -> None:
    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = policy_of(
        '<script>let a = "<b>";\r\n</script><p onclick="go(&quot;x&quot;)"><script src="a.js">'
    )

    (scripts,) = [part for part in policy.split("; ") if part.strip().startswith("script-src")]
    assert scripts.split()[1:] == ["'self'", "'unsafe-hashes'", digest('let a = "<b>";\n'), digest('go("x")')]
    assert "frame-ancestors 'none'" in policy


async def test_it_is_off_until_the_operator_wants_it(tmp_path: Path) -> None:
    closed = Bench(tmp_path, api_keys=(PAGE_KEY,))
    assert (await closed.http.get("/original/Upload.html")).status_code == 404
    opened = bench(tmp_path / "opened")
    stolen = opened.gateway.browsers.page.cookie_for(["0" * 32], utc_now())
    reply = await closed.http.get(f"/status/{'0' * 32}", headers={"Cookie": f"{COOKIE}={stolen}"})
    assert code_of(reply) == (403, "API_KEY_INVALID")


async def test_where_it_is_served_no_foreign_name_may_point_here(tmp_path: Path) -> None:
    site = bench(tmp_path)

    for host, status in (("evil.example", 421), ("localhost:7860", 200)):
        assert (await site.http.get("/original/", headers={"Host": host})).status_code == status
    named = bench(tmp_path / "named", allowed_hosts=("interviews.example",))
    assert (await named.http.get("/original/", headers={"Host": "interviews.example"})).status_code == 200


def test_page_and_key_need_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "client"
    for wrong in (
        {"original_page_dir": tmp_path},
        {"original_page_key": "page"},
        {"original_page_dir": folder, "original_page_key": "page", "api_keys": [PAGE_KEY]},  # no folder
        {"original_page_dir": tmp_path, "original_page_key": "page"},  # no keys
    ):
        with pytest.raises(ValidationError):
            GatewaySettings(**wrong)
