"""People sign in at a real provider over HTTP, and act by their cookie."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse

from tests.gateway_bench import MP4, Bench, api_key, form, videos
from tests.openid_provider import OpenIdProvider, openid_provider
from tests.signing_in import OURS, PUBLIC_URL, Visitor

pytestmark = pytest.mark.anyio

COOKIE = "interview_person"
KEY = {"X-API-Key": "s3cret"}
DISCOVERY = "/.well-known/openid-configuration"
AWAY = (503, "SIGN_IN_PROVIDER_UNAVAILABLE")


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with openid_provider() as running:
        yield running


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
    sent = {"files": videos(MP4), "data": form("?")}

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


async def test_keys_go_on_beside_it_and_go_before_it(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider, api_keys=(api_key("s3cret", scopes=("submit",)),))
    await visitor.sign_in()

    assert (await visitor.http.get("/whoami", headers=KEY)).json()["caller"] == "key:team"
    assert (await visitor.http.get("/sessions", headers=KEY)).json()["code"] == "API_KEY_SCOPE_MISSING"
    assert (await visitor.http.get("/sessions", headers={"X-API-Key": "x"})).json()["code"] == "API_KEY_INVALID"
    assert (await visitor.http.post("/login", headers=OURS)).status_code in (204, 403)
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


async def test_wrong_answers_of_the_browser_are_refused(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider)
    back = await visitor.agree()
    cookies = dict(visitor.http.cookies)

    async def refusal(address: str) -> tuple[int, str]:
        visitor.http.cookies.update(cookies)
        reply = await visitor.http.get(address)
        return reply.status_code, reply.json()["code"]

    not_ours = (400, "SIGN_IN_STATE_INVALID")
    assert await refusal(back.replace("state=", "state=x")) == not_ours
    assert await refusal(back.split("&state=")[0]) == not_ours
    assert await refusal(f"{back.split('?')[0]}?error=access_denied&state={back.split('state=')[1]}") == (
        403,
        "SIGN_IN_REFUSED",
    )
    assert await refusal(f"{back}&iss=https://another.example") == (403, "SIGN_IN_TOKEN_INVALID")
    assert provider.forms == []  # Nobody was asked about any of it.
    visitor.http.cookies.clear()
    reply = await visitor.http.get(back)  # another browser
    assert (reply.status_code, reply.json()["code"]) == not_ours


async def test_what_the_provider_gave_signs_in_once(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider)
    back = await visitor.agree()
    cookies = dict(visitor.http.cookies)

    assert (await visitor.http.get(back)).status_code == 303
    again = await visitor.http.get(back)  # its cookie is gone
    visitor.http.cookies.update(cookies)
    stolen = await visitor.http.get(back)  # even with it: the provider takes a code once

    assert (again.status_code, again.json()["code"]) == (400, "SIGN_IN_STATE_INVALID")
    assert (stolen.status_code, stolen.json()["code"]) == (403, "SIGN_IN_REFUSED")


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "/a\nb", "x", "", "/" * 501],
)
async def test_a_sign_in_leads_to_no_other_site(tmp_path: Path, provider: OpenIdProvider, path: str) -> None:
    visitor = Visitor(tmp_path, provider)

    reply = await visitor.http.get("/signin", params={"next": path})

    assert (reply.status_code, reply.json()["code"]) == (400, "SIGN_IN_NEXT_INVALID")


async def test_a_provider_that_is_away_slow_or_of_no_use_is_said(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    async def slow() -> object:
        await asyncio.sleep(30)
        yield b"{}"

    async def huge() -> object:
        for _ in range(300):
            yield b" " * 1000

    faults = [
        PlainTextResponse("gone", 500),
        PlainTextResponse("<html>"),
        JSONResponse([]),
        JSONResponse({"issuer": "https://another.example"}),
        JSONResponse({"issuer": provider.issuer, "authorization_endpoint": 7}),
        JSONResponse({"issuer": provider.issuer, "authorization_endpoint": "http://plain.example/"}),
        JSONResponse({}, 302, {"Location": f"{provider.issuer}/elsewhere"}),
        StreamingResponse(slow()),
        StreamingResponse(huge()),
    ]
    for number, fault in enumerate(faults):
        provider.faults[DISCOVERY] = fault
        visitor = Visitor(tmp_path / str(number), provider, oidc_timeout_s=0.5)
        reply = await visitor.http.get("/signin")
        assert (reply.status_code, reply.json()["code"]) == AWAY, number
        assert int(reply.headers["Retry-After"]) <= 10

    asked_count = len(provider.asked)
    assert (await visitor.http.get("/signin")).status_code == 503  # The provider is left alone for a while.
    assert len(provider.asked) == asked_count
    nobody = Visitor(tmp_path / "nobody", OpenIdProvider("http://127.0.0.1:1"))
    assert (await nobody.http.get("/signin")).status_code == 503


async def test_a_token_endpoint_that_fails_signs_nobody_in(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider)
    for fault, expected in (
        (PlainTextResponse("gone", 502), AWAY),
        (JSONResponse({"error": "invalid_client"}, 401), (403, "SIGN_IN_REFUSED")),
        (JSONResponse({"access_token": "x"}), (403, "SIGN_IN_TOKEN_INVALID")),
        (JSONResponse({"id_token": 7}), (403, "SIGN_IN_TOKEN_INVALID")),
        (JSONResponse({"id_token": "a.b.c"}), (403, "SIGN_IN_TOKEN_INVALID")),
    ):
        provider.faults["/token"] = fault
        assert await visitor.refusal() == expected
    provider.faults.clear()
    assert (await visitor.sign_in()).status_code == 303


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_basic", "client_secret_post"]])
async def test_a_secret_with_odd_characters_is_sent_as_the_provider_reads_it(
    tmp_path: Path, provider: OpenIdProvider, methods: list[str]
) -> None:
    provider.document["token_endpoint_auth_methods_supported"] = methods

    assert (await Visitor(tmp_path, provider).sign_in()).status_code == 303


async def test_sign_ins_that_fail_are_limited_by_address(tmp_path: Path, provider: OpenIdProvider) -> None:
    visitor = Visitor(tmp_path, provider, rate_limit_wrong_keys="2/minute")
    for _ in range(2):
        assert (await visitor.http.get("/signin/callback?state=x&code=y")).status_code == 400

    reply = await visitor.sign_in()

    assert (reply.status_code, reply.json()["code"]) == (429, "TOO_MANY_SIGN_INS")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert provider.forms == []


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


async def test_without_a_provider_nobody_signs_in(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    for path in ("/signin", "/signin/callback?state=1&code=2"):
        reply = await bench.http.get(path)
        assert (reply.status_code, reply.json()["code"]) == (404, "SIGN_IN_OFF")
    assert (await bench.http.get("/whoami")).json() == {
        "kind": "anybody", "caller": "", "name": "", "end_time_s": None,
    }  # fmt: skip
    assert (await bench.http.post("/signout")).status_code == 204
    assert (await bench.http.get("/client-settings")).json()["sign_in_url"] == ""
