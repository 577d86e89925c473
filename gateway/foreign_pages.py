"""Refuses what a page of another site makes a browser send: without keys nothing else would stop it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.callers import STRANGER, current_client, log_refusal
from gateway.errors import error_body

ANY = "*"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MISDIRECTED = 421
FORBIDDEN = 403
FOREIGN_SITES = ("cross-site", "same-site")
"""What a browser says in `Sec-Fetch-Site` of a page that is not ours: also one on another port."""


class OwnNames:
    """The names that we may be called by.

    A page of `evil.example` may point that name at this machine after it was loaded (DNS rebinding), and is
    then of our origin to the browser. No such page can be called `localhost` or by an address.

    Args:
        names: Names next to `localhost` and every IP address. `*` for any.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(_plain(name) for name in names) | {"localhost"}
        self._any = ANY in names

    def include(self, host: str) -> bool:
        """Tell whether a `Host` header has one of them, with or without a port."""
        name = _plain(_without_port(host))
        return self._any or name in self._names or _is_address(name)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _plain(name: str) -> str:
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return name.removesuffix(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class CallerMiddleware:
    """Looks at how we are called, and by whose page, before anything else does.

    Args:
        app: The application.
        origins: Origins of pages that may write, next to our own. `*` for any.
        names: Names that we are called by.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], names: OwnNames) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        current_client.set(STRANGER)
        if refusal := self._refusal(scope, Headers(scope=scope)):
            log_refusal(refusal[0]["code"], scope["client"][0] if scope.get("client") else "unknown")
            # Starlette's responses deny a WebSocket as well, where the server can do that.
            await JSONResponse(*refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[dict[str, Any], int] | None:
        host = headers.get("host", "")
        if not self._names.include(host):
            message = (
                "This host name is not allowed here. Add it to GATEWAY_ALLOWED_HOSTS, or use another name."
            )
            return error_body("HOST_FORBIDDEN", message), MISDIRECTED
        writing = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if writing and not self._own_page(headers, host):
            message = "This page's site may not send requests here. Add its origin to GATEWAY_CORS_ORIGINS."
            return error_body("ORIGIN_FORBIDDEN", message), FORBIDDEN
        return None

    def _own_page(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if ANY in self._origins or origin in self._origins:
            return True
        if origin is None:  # No browser, or an old one, unless it says that another site's page asks.
            return headers.get("sec-fetch-site") not in FOREIGN_SITES
        _, separator, place = origin.partition("://")
        return bool(separator) and place == host
