"""An OpenID provider on a free port: real keys, codes that work once, PKCE, and faults on request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from fastapi import FastAPI, Request, Response
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from tests.gateway_bench import listening

CLIENT_ID, CLIENT_SECRET = "interviews", "c1ient+s3cret"
ACCESS_TOKEN = "access-t0ken"
HOUR_S = 3600
RSA_BITS = 2048


def _new_key(kid: str, algorithm: str) -> Any:
    options: Any = {"kid": kid, "use": "sig", "alg": algorithm}
    if algorithm.startswith("ES"):
        return ECKey.generate_key("P-256", options)
    return RSAKey.generate_key(RSA_BITS, options)


@dataclass
class OpenIdProvider:
    """What the provider knows, and how it misbehaves. Tests change it while it runs."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u1", "name": "Ana", "groups": ["hr"]})
    """Of whoever signs in next. None as a value takes a claim out of the token."""
    claims_text: str = ""
    """More of them, as JSON with a comma before it."""
    header: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    document: dict[str, Any] = field(default_factory=dict)
    """What its discovery document says in another way."""
    faults: dict[str, Response] = field(default_factory=dict)
    """Answers in place of the right ones, by path."""
    asked: list[str] = field(default_factory=list)
    """Paths of its own that it was asked for."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """What its token endpoint was sent."""
    tokens: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)

    def rotate(self) -> None:
        """Sign with a new key from now on, and forget the old one."""
        kid = f"key-{secrets.token_hex(4)}"
        self.keys = {kid: _new_key(kid, self.algorithm)}

    def agreed(self, asked: dict[str, str]) -> Response:
        """Send a browser back with a code."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}", 303)

    def tokens_for(self, form: dict[str, str], authorization: str | None) -> Response:
        """Answer who brings a code: its client has to prove itself, and it works once."""
        self.forms.append(form)
        asked = self.codes.pop(form["code"], None)
        quoted = base64.b64encode(f"{CLIENT_ID}:{quote_plus(CLIENT_SECRET)}".encode()).decode()
        by_form = "client_secret_post" in self.document.get("token_endpoint_auth_methods_supported", ())
        proof = (None, CLIENT_SECRET) if by_form else (f"Basic {quoted}", None)
        if (authorization, form.get("client_secret")) != proof:
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or asked["code_challenge"] != _challenge_of(form["code_verifier"]):
            return JSONResponse({"error": "invalid_grant"}, 400)
        made = self.id_token(asked["nonce"])
        self.tokens += [made, ACCESS_TOKEN]
        return JSONResponse({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": made})

    def id_token(self, nonce: str) -> str:
        """Return a token for whoever signs in."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + HOUR_S, "nonce": nonce}
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        kid, key = next(iter(self.keys.items()))
        header = {"alg": self.algorithm, "kid": kid} | self.header
        header = {name: value for name, value in header.items() if value is not None}
        if header["alg"] in ("none", "HS256"):
            return _odd_token(header, claims)
        text = json.dumps(claims).removesuffix("}") + self.claims_text + "}"
        return jws.serialize_compact(header, text.encode(), key, algorithms=[header["alg"]])


def _odd_token(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a token without a signature, or with one by the secret that both sides know."""
    text = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    signed = hmac.digest(CLIENT_SECRET.encode(), text, "sha256") if header["alg"] == "HS256" else b""
    return b".".join((text, _base64(signed))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _challenge_of(verifier: str) -> str:
    return _base64(hashlib.sha256(verifier.encode()).digest()).decode()


def _application(provider: OpenIdProvider) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def faulty(request: Request, go_on: Any) -> Response:
        provider.asked.append(request.url.path)
        fault = provider.faults.get(request.url.path)
        return fault if fault is not None else await go_on(request)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        addresses = {name: f"{provider.issuer}/{path}" for name, path in names.items()}
        return {"issuer": provider.issuer} | addresses | provider.document

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        if "text/html" in request.headers.get("accept", ""):  # a person reads, and has to agree
            again = f"/agree?{urlencode(asked)}".replace("&", "&amp;")
            return HTMLResponse(f'<h1>Provider</h1><a id="agree" href="{again}">Agree</a>')
        return provider.agreed(asked)

    @app.get("/agree")
    async def agree(request: Request) -> Response:
        return provider.agreed(dict(request.query_params))

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        return provider.tokens_for(form, request.headers.get("authorization"))

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        odd = [{"kty": "OKP", "crv": "Odd", "kid": "odd"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}, 7]
        return {"keys": [*odd, *(key.as_dict(private=False) for key in provider.keys.values())]}

    return app


@contextmanager
def openid_provider() -> Iterator[OpenIdProvider]:
    """Serve a provider; yields what it knows."""
    provider = OpenIdProvider()
    provider.rotate()
    with listening(_application(provider)) as url:
        provider.issuer = url
        yield provider
