"""A sign-in that fails: at the browser, at the provider, or because somebody tries it on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse

from tests.gateway_bench import Bench
from tests.openid_provider import OpenIdProvider
from tests.signing_in import Visitor

pytestmark = pytest.mark.anyio

COOKIE = "interview_person"
KEY = {"X-API-Key": "s3cret"}
DISCOVERY = "/.well-known/openid-configuration"
AWAY = (503, "SIGN_IN_PROVIDER_UNAVAILABLE")


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
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\nb",
        "x",
        "",
        "/" * 501,
    ],
)
async def test_a_sign_in_leads_to_no_other_site(tmp_path: Path, provider: OpenIdProvider, path: str) -> None:
    visitor = Visitor(tmp_path, provider)

    reply = await visitor.http.get("/signin", params={"next": path})

    assert (reply.status_code, reply.json()["code"]) == (400, "SIGN_IN_NEXT_INVALID")


async def test_a_provider_that_is_away_slow_or_of_no_use_is_said(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    async def slow() -> AsyncIterator[bytes]:
        await asyncio.sleep(30)
        yield b"{}"

    async def huge() -> AsyncIterator[bytes]:
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
    for _ in range(5):  # costs nobody anything, and locks nobody out
        assert (await visitor.http.get("/signin/callback?state=x&code=y")).status_code == 400
    provider.claims["aud"] = "another"
    for _ in range(2):
        assert await visitor.refusal() == (403, "SIGN_IN_TOKEN_INVALID")

    reply = await visitor.sign_in()

    assert (reply.status_code, reply.json()["code"]) == (429, "TOO_MANY_SIGN_INS")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert len(provider.forms) == 2


async def test_sign_ins_that_are_tried_side_by_side_are_limited_too(
    tmp_path: Path, provider: OpenIdProvider
) -> None:
    visitor = Visitor(tmp_path, provider, rate_limit_wrong_keys="2/minute")
    back = (await visitor.agree()).replace("code=", "code=x")

    kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())}
    visitor.http.cookies.clear()  # An answer takes it, and the others need it too.

    replies = await asyncio.gather(*(visitor.http.get(back, headers=kept) for _ in range(6)))

    codes = Counter(reply.json()["code"] for reply in replies)
    assert codes == {"SIGN_IN_REFUSED": 2, "TOO_MANY_SIGN_INS": 4}
    assert len(provider.forms) == 2


async def test_words_of_the_provider_that_are_no_error_code_are_not_logged(
    tmp_path: Path, provider: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    for said in ("invalid_grant", "Ana Xanthippe", {"of": "Ana Xanthippe"}):
        provider.faults["/token"] = JSONResponse({"error": said}, 400)
        assert await Visitor(tmp_path, provider).refusal() == (403, "SIGN_IN_REFUSED")

    logged = [vars(line)["error"] for line in caplog.records if "took no code" in line.message]
    assert logged == ["invalid_grant", "(not a word of the protocol)", "(not a word of the protocol)"]


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
