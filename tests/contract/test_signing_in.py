"""People sign in at a real provider over HTTP, and act by their cookie."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.audit.records import NOTED_BY_CALLERS
from tests.asgi_socket import messages_of
from tests.gateway_bench import MP4, api_key, form, videos
from tests.openid_provider import OpenIdProvider
from tests.signing_in import OURS, PUBLIC_URL, Visitor

pytestmark = pytest.mark.anyio

COOKIE = "interview_person"
KEY = {"X-API-Key": "s3cret"}
DISCOVERY = "/.well-known/openid-configuration"
AWAY = (503, "SIGN_IN_PROVIDER_UNAVAILABLE")


async def test_somebody_signs_in_submits_and_signs_out(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider)
    http = visitor.http
    assert (await http.get("/sessions")).json()["code"] == "API_KEY_INVALID"

    back = await visitor.sign_in("/signin?next=/%3Fsession%3D1")
    who = (await http.get("/whoami")).json()
    uploaded = await http.post("/upload", files=videos(MP4), data=form("Why?"), headers=OURS)
    session_id = uploaded.json()["session_id"]

    assert (back.status_code, back.headers["Location"]) == (303, "/?session=1")
    assert (who["kind"], who["name"], who["caller"][:7]) == ("person", "Ana", "person:")
    assert who["end_time_s"] > 0
    assert uploaded.status_code == 200
    assert (await http.get(f"/status/{session_id}")).status_code == 200
    assert (await http.get(f"/media/{session_id}/1")).status_code == 200
    assert (await http.delete(f"/sessions/{session_id}", headers=OURS)).status_code == 200

    out = await http.post("/signout", headers=OURS)
    assert (out.status_code, out.headers["Clear-Site-Data"]) == (204, '"cache"')
    assert (await http.get("/whoami")).json()["code"] == "API_KEY_INVALID"


async def test_a_sign_in_and_what_a_person_reads_are_noted_without_a_name(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    http, bench = visitor.http, visitor.bench
    await visitor.sign_in()
    caller = (await http.get("/whoami")).json()["caller"]
    uploaded = await http.post("/upload", files=videos(MP4), data=form("Why?"), headers=OURS)
    await http.get(f"/media/{uploaded.json()['session_id']}/1")
    await bench.gateway.audit.send()

    notes = [note for note, _ in bench.orchestrator.audit.notes]
    assert [(note.action, note.outcome, note.who) for note in notes] == [
        ("person.signed_in", "ok", caller),
        ("media.read", "ok", caller),
    ]
    assert "Ana" not in repr(notes)


async def test_the_provider_is_asked_with_pkce_state_and_nonce(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)

    first, second = [parse_qs(urlsplit(await visitor.begin()).query) for _ in range(2)]

    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == [f"{PUBLIC_URL}/signin/callback"]
    assert first["scope"] == ["openid profile"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert "code_verifier" not in first


async def test_the_cookie_holds_nothing_that_can_be_read_and_no_token(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)

    lines = (await visitor.sign_in()).headers.get_list("Set-Cookie")
    kept = next(line for line in lines if line.startswith(COOKIE))

    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=14400"} <= set(kept.split("; "))
    value = kept.split(";")[0].partition("=")[2]
    shown = value + base64.urlsafe_b64decode(value).decode("latin-1")
    for readable in ("subject", "person:", "people", *provider.tokens):
        assert readable not in shown
    assert any(line.startswith("interview_signing_in=") and "Max-Age=0" in line for line in lines)


async def test_over_https_the_cookies_have_names_that_only_this_host_can_set(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider, public_url="https://interviews.example/")

    reply = await visitor.http.get("/signin")  # TLS ends at a proxy that nobody named

    (line,) = reply.headers.get_list("Set-Cookie")
    assert line.startswith("__Host-interview_signing_in=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(line.split("; "))
    assert "redirect_uri=https%3A%2F%2Finterviews.example%2Fsignin%2Fcallback" in reply.headers["Location"]


async def test_no_page_but_ours_changes_anything_by_the_cookie(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    await visitor.sign_in()
    sent: dict[str, Any] = {"files": videos(MP4), "data": form("?")}

    for headers in (
        {},  # no browser of today
        {"Origin": "http://localhost:5500"},  # may call without cookies
        {"Origin": "http://127.0.0.1:5500", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://127.0.0.1:7860"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "none"},
    ):
        for method, path in (("POST", "/upload"), ("DELETE", f"/sessions/{'0' * 32}"), ("POST", "/signout")):
            reply = await visitor.http.request(method, path, headers=headers)
            assert (reply.status_code, reply.json()["code"]) == (403, "ORIGIN_FORBIDDEN"), (headers, path)
    for headers in (OURS, {"Sec-Fetch-Site": "same-origin"}):
        assert (await visitor.http.post("/upload", headers=headers, **sent)).status_code == 200


async def test_a_sign_in_that_begins_at_one_replica_ends_at_another_one(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    shared = {"cookie_secrets": ["c" * 32]}
    first, second, stranger = (
        Visitor(tmp_path / name, provider, **settings)
        for name, settings in (("first", shared), ("second", shared), ("stranger", {}))
    )
    back = await first.agree()
    for replica in (second, stranger):
        replica.http.cookies = first.http.cookies

    assert (await stranger.http.get(back)).json()["code"] == "SIGN_IN_STATE_INVALID"
    assert (await second.http.get(back)).status_code == 303
    first.http.cookies = second.http.cookies
    assert (await first.http.get("/whoami")).json()["kind"] == "person"


async def test_keys_go_on_beside_it_and_go_before_it(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider, api_keys=(api_key("s3cret", scopes=("submit",)),))
    await visitor.sign_in()

    assert (await visitor.http.get("/whoami", headers=KEY)).json()["caller"] == "key:team"
    assert (await visitor.http.get("/sessions", headers=KEY)).json()["code"] == "API_KEY_SCOPE_MISSING"
    assert (await visitor.http.get("/sessions", headers={"X-API-Key": "x"})).json()[
        "code"
    ] == "API_KEY_INVALID"
    assert "interview_reader=" not in str((await visitor.http.post("/login", headers=OURS)).headers)
    assert (await visitor.http.get("/sessions")).status_code == 200


async def test_somebody_without_a_group_of_ours_is_told_so_as_a_page_too(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    for groups in (["sales"], [], None, "sales", {"hr": True}, [7]):
        provider.claims["groups"] = groups
        assert await visitor.refusal() == (403, "SIGN_IN_GROUP_MISSING")

    page = await visitor.sign_in(Accept="text/html,*/*")

    assert (page.status_code, page.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "Ask the operator to add you" in page.text
    assert "interview_person" not in page.headers.get("Set-Cookie", "")
    assert (await visitor.http.get("/sessions")).status_code == 403


async def test_what_a_group_grants_counts_for_that_group_alone(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    provider.claims["groups"] = ["lawyers"]
    await visitor.sign_in()

    refused = await visitor.http.post("/upload", headers=OURS)
    assert (refused.status_code, refused.json()["code"]) == (403, "SIGN_IN_SCOPE_MISSING")
    assert (await visitor.http.get(f"/status/{'0' * 32}")).status_code == 404


async def test_a_sign_in_that_is_over_is_said(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider, sign_in_lifetime_s=300, api_keys=(api_key("s3cret"),))
    await visitor.sign_in()
    visitor.later(100)
    assert (await visitor.http.get("/sessions")).status_code == 200

    visitor.later(200)

    for method, path in (("GET", "/sessions"), ("GET", f"/status/{'0' * 32}"), ("POST", "/upload")):
        reply = await visitor.http.request(method, path, headers=OURS)
        assert (reply.status_code, reply.json()["code"]) == (403, "SIGN_IN_ENDED")
    assert (await visitor.http.post("/login", headers=KEY | OURS)).status_code == 204
    assert (await visitor.http.get("/metrics")).status_code == 200  # by the reader's cookie of that key
    assert (await visitor.http.post("/upload", headers=OURS)).json()["code"] == "SIGN_IN_ENDED"
    assert (await visitor.http.post("/signout")).status_code == 204


async def test_whom_the_provider_takes_out_of_a_group_does_not_get_in_again(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    await visitor.sign_in()
    provider.claims["groups"] = []

    assert (await visitor.http.get("/sessions")).status_code == 200  # until the sign-in ends
    assert await visitor.refusal() == (403, "SIGN_IN_GROUP_MISSING")


async def test_nothing_of_a_person_or_a_token_is_logged(
    tmp_path: Path, provider: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Visitor(tmp_path, provider)
    provider.claims |= {"sub": "ana-7f3e", "name": "Ana Example", "email": "ana@example.com"}
    with caplog.at_level(logging.DEBUG, "gateway"), caplog.at_level(logging.INFO):
        back = await visitor.sign_in()
        who = (await visitor.http.get("/whoami")).json()["caller"]
        provider.claims["aud"] = "another"
        assert await visitor.refusal() == (403, "SIGN_IN_TOKEN_INVALID")

    # The test's own client and the provider log as well, where browsers and others are.
    others = ("uvicorn", PUBLIC_URL, "/authorize?")
    told = [repr(vars(record)) for record in caplog.records]
    told = [line for line in told if not any(other in line for other in others)]
    kept = next(line for line in back.headers.get_list("Set-Cookie") if line.startswith(COOKIE))
    assert any(who in line for line in told)
    assert any("/token" in line for line in told)
    cookie = kept.split(";")[0].partition("=")[2]
    code, verifier = provider.forms[0]["code"], provider.forms[0]["code_verifier"]
    for secret in ("ana-7f3e", "Ana Example", "ana@example", code, verifier, cookie, *provider.tokens):
        assert not any(secret in line for line in told), secret


async def test_no_page_but_ours_follows_a_session_by_the_cookie(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    reply = await visitor.sign_in()
    headers = {"Cookie": reply.headers["Set-Cookie"].split(";")[0], "Host": "127.0.0.1:7860"}
    path = f"/ws/{'0' * 32}"

    foreign = await messages_of(visitor.bench.app, path, headers | {"Origin": "http://localhost:5500"})
    own = await messages_of(visitor.bench.app, path, headers | OURS)

    assert foreign[0]["code"] == "ORIGIN_FORBIDDEN"
    assert own[0]["code"] == "SESSION_NOT_FOUND"


async def test_who_signed_in_and_what_was_refused_goes_into_the_audit_log(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider)
    await visitor.sign_in()
    who = (await visitor.http.get("/whoami")).json()["caller"]
    provider.claims["groups"] = []
    await visitor.refusal()
    await visitor.bench.gateway.audit.send()

    notes = [(note.action, note.outcome, note.who) for note, _ in visitor.bench.orchestrator.audit.notes]
    assert sorted(notes) == [
        ("person.signed_in", "ok", who),
        ("sign_in.refused", "SIGN_IN_GROUP_MISSING", ""),
    ]
    assert {note[0] for note in notes} <= NOTED_BY_CALLERS
