"""The OpenID provider over HTTP. Each question has a deadline, and each answer a largest size."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from chassis.errors import ForbiddenError, UnavailableError
from gateway.people.id_tokens import refused_token, usable_keys
from gateway.people.settings import PeopleSettings, secure_address

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 262_144
"""A document of a provider, or its keys, has some KB."""
KEPT_S = 3600.0
"""How long what the provider says about itself counts. Its keys are asked for again when one is not known."""
ASK_AGAIN_S = 10.0
"""After a failure, and between two looks for an unknown key: nobody floods the provider through us."""
ERROR_CODE = re.compile(r"[a-z_]{1,40}")
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True)
class Endpoints:
    """Where the provider does what."""

    authorization: str
    token: str
    keys: str
    names_itself: bool
    """Whether it says who it is when it sends a browser back (RFC 9207)."""


@dataclass(frozen=True)
class Tokens:
    """What a code is worth."""

    id_token: str
    access_token: str


class Provider:
    """Asks the provider.

    Args:
        settings: Where it is and who we are.
        transport: Carries the requests. None: the network.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        settings: PeopleSettings,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        secret = settings.oidc_client_secret.get_secret_value()
        self._secret, self._timeout_s = secret, settings.oidc_timeout_s
        self._transport, self._clock = transport, clock
        self._tls = httpx.create_ssl_context()
        self._asking = asyncio.Lock()
        self._document: Mapping[str, Any] = {}
        self._endpoints: Endpoints | None = None
        self._keys: list[Any] = []
        self._asked_at_s: dict[str, float] = {}
        self._failed_at_s: float | None = None

    async def endpoints(self) -> Endpoints:
        """Return where the provider does what.

        Raises:
            UnavailableError: It is away, or says nothing of use.
        """
        async with self._asking:
            return await self._known_endpoints()

    async def _known_endpoints(self) -> Endpoints:
        if self._endpoints is not None and self._age_s("endpoints") < KEPT_S:
            return self._endpoints
        try:
            document = await self._get(f"{self.issuer.removesuffix('/')}/.well-known/openid-configuration")
            self._endpoints, self._document = self._read(document), document
            self._asked_at_s["endpoints"] = self._clock()
        except UnavailableError:
            if self._endpoints is None:  # Else what it said before still counts.
                raise
        return self._endpoints

    async def keys(self, *, again: bool = False) -> list[Any]:
        """Return the keys that sign ID tokens.

        Args:
            again: Ask for them again, because one was not known. Not more than once in a while.

        Raises:
            UnavailableError: The provider is away, or says nothing of use.
        """
        async with self._asking:
            if self._age_s("keys") < (ASK_AGAIN_S if again else KEPT_S):
                return self._keys
            self._keys = usable_keys(await self._get((await self._known_endpoints()).keys))
            self._asked_at_s["keys"] = self._clock()
            return self._keys

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Return what a code is worth.

        Raises:
            ForbiddenError: The provider does not take the code (`SIGN_IN_REFUSED`), or gives no ID token.
            UnavailableError: It is away, or says nothing of use.
        """
        endpoints = await self.endpoints()
        body = prepare_token_request(
            "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier
        )
        address, headers, body = self._proof().prepare("POST", endpoints.token, dict(FORM), body)
        status, answer = await self._ask("POST", address, headers, body.encode())
        if status in (400, 401, 403):
            logger.warning("the provider took no code", extra={"error": _error_code(answer.get("error"))})
            raise refused_by_provider()
        if status != 200:
            raise _away(f"status {status}")
        id_token, access_token = answer.get("id_token"), answer.get("access_token", "")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise refused_token()
        return Tokens(id_token, access_token)

    def _proof(self) -> ClientAuth:
        if not self._secret:
            return ClientAuth(self.client_id, "", "none")
        methods = self._document.get("token_endpoint_auth_methods_supported")
        if isinstance(methods, list) and "client_secret_post" in methods:
            return ClientAuth(self.client_id, self._secret, "client_secret_post")
        # Quoted by RFC 6749, 2.3.1: the library leaves it to its user. Not every provider undoes it, so a
        # secret goes in the form where that is taken.
        return ClientAuth(quote_plus(self.client_id), quote_plus(self._secret), "client_secret_basic")

    def _read(self, document: Mapping[str, Any]) -> Endpoints:
        if document.get("issuer") != self.issuer:
            raise _away("the document is another issuer's")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        found = [document.get(name) for name in names]
        authorization, token, keys = (
            address if isinstance(address, str) and secure_address(address) else "" for address in found
        )
        if not (authorization and token and keys):
            raise _away("an address is missing or not of https")
        names_itself = document.get("authorization_response_iss_parameter_supported") is True
        return Endpoints(authorization, token, keys, names_itself)

    async def _get(self, address: str) -> Mapping[str, Any]:
        if self._failed_at_s is not None and self._clock() - self._failed_at_s < ASK_AGAIN_S:
            raise _away("it was just now")
        try:
            status, answer = await self._ask("GET", address, {"Accept": "application/json"})
            if status != 200:
                raise _away(f"status {status}")
        except UnavailableError:
            self._failed_at_s = self._clock()
            raise
        return answer

    async def _ask(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, Any]]:
        asked = dict(headers) | {"Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                httpx.AsyncClient(
                    transport=self._transport, verify=self._tls, timeout=self._timeout_s
                ) as http,
                http.stream(method, address, headers=asked, content=body) as reply,
            ):
                return reply.status_code, _parsed(await _read(reply))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise _away(type(error).__name__) from error

    def _age_s(self, what: str) -> float:
        return self._clock() - self._asked_at_s.get(what, -math.inf)


async def _read(reply: httpx.Response) -> bytes:
    """Read an answer as it is sent: what comes packed may be far larger."""
    content = bytearray()
    async for block in reply.aiter_raw():
        content += block
        if len(content) > MAX_ANSWER_BYTES:
            raise _away("the answer is too large")
    return bytes(content)


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise _away("the answer is not a JSON object")
    return answer


def _error_code(said: object) -> str:
    """Return a word of the protocol, such as `invalid_grant`. Anything else may be about a person."""
    known = isinstance(said, str) and ERROR_CODE.fullmatch(said)
    return str(said) if known else "(not a word of the protocol)"


def refused_by_provider() -> ForbiddenError:
    """Return the refusal of a sign-in that the provider ended."""
    return ForbiddenError(
        "The sign-in was refused or has ended at the provider. Sign in again.", reason="SIGN_IN_REFUSED"
    )


def _away(why: str) -> UnavailableError:
    logger.warning("the sign-in provider is of no use", extra={"error": why})
    return UnavailableError(
        "The sign-in provider can't be reached. Try again in a minute, or use an API key.",
        reason="SIGN_IN_PROVIDER_UNAVAILABLE",
        retry_after_s=ASK_AGAIN_S,
    )
