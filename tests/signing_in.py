"""Somebody signs in at a provider, by plain HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from gateway.guesses import failed_sign_ins
from gateway.people.provider import Provider
from gateway.people.sign_in import SignIn
from gateway.rates import Rates
from gateway.sealed import Seal
from tests.gateway_bench import Bench
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider

PUBLIC_URL = "http://127.0.0.1:7860"
OURS = {"Origin": PUBLIC_URL}
GROUPS = (
    {"claim": "hr", "scopes": ["submit", "read", "manage"], "group": "people"},
    {"claim": "lawyers", "scopes": ["read"], "group": "legal"},
    {"claim": "admins", "scopes": ["admin"], "group": "ops"},
)


def people_settings(provider: OpenIdProvider, **more: Any) -> dict[str, Any]:
    """Return what a gateway is told, so that people of a provider can sign in."""
    return {
        "public_url": PUBLIC_URL,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_groups": GROUPS,
        "oidc_timeout_s": 30.0,
        "rate_limit_wrong_keys": "",
    } | more


class Visitor:
    """One browser's cookies at a gateway whose people sign in."""

    def __init__(self, folder: Path, provider: OpenIdProvider, **settings: Any) -> None:
        self.bench = Bench(folder, **people_settings(provider, **settings))
        self.http = self.bench.http

    def own_clock(self) -> list[float]:
        """Ask the provider by a clock of one number, which the test moves."""
        clock_s = [0.0]
        settings, browsers = self.bench.settings, self.bench.gateway.browsers
        assert browsers.people is not None
        seal, provider = Seal([b"s" * 32], "signing-in", 600), Provider(settings, clock=lambda: clock_s[0])
        guesses = failed_sign_ins(Rates(), "")
        audit = self.bench.gateway.audit
        sign_in = SignIn(settings, provider, browsers.people, seal, guesses, browsers.now, audit)
        self.bench.gateway.browsers = replace(browsers, sign_in=sign_in)
        return clock_s

    def later(self, seconds: float) -> None:
        """Let the browser's cookies be looked at so much later."""
        browsers = self.bench.gateway.browsers
        self.bench.gateway.browsers = replace(
            browsers, now=lambda: browsers.now() + timedelta(seconds=seconds)
        )

    async def begin(self, path: str = "/signin", **headers: str) -> str:
        """Begin to sign in, and return the provider's address."""
        reply = await self.http.get(path, headers=headers)
        assert reply.status_code == 303, reply.text
        return reply.headers["Location"]

    async def agree(self, path: str = "/signin") -> str:
        """Sign in at the provider, and return the address that the browser is sent back to."""
        async with httpx.AsyncClient() as browser:
            reply = await browser.get(await self.begin(path))
        assert reply.status_code == 303, reply.text
        return reply.headers["Location"]

    async def sign_in(self, path: str = "/signin", **headers: str) -> httpx.Response:
        """Sign in, and return the gateway's last answer."""
        return await self.http.get(await self.agree(path), headers=headers)

    async def refusal(self, **headers: str) -> tuple[int, str]:
        """Return how a sign-in is refused."""
        reply = await self.sign_in(**headers)
        return reply.status_code, reply.json()["code"]
