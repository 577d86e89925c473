"""Around every request: its id, one log line, its duration, security headers, and whose page sent it."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.telemetry import SECONDS_BUCKETS, request_id, session_id
from gateway.callers import STRANGER, current_client
from gateway.errors import error_body

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
HTTP_SECONDS = Histogram(
    "interview_http_seconds",
    "Duration of HTTP requests.",
    ["method", "route", "status"],
    buckets=SECONDS_BUCKETS,
)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Nothing from elsewhere runs on our page, whatever a candidate typed."""

_PORT = re.compile(r":\d+$")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """Plain ASGI, so that streams and their cancellation pass through untouched.

    Args:
        app: The application.
        media_origin: Where else our page may play recordings from. None: nowhere.
    """

    def __init__(self, app: ASGIApp, media_origin: str | None = None) -> None:
        self._app = app
        self._headers = dict(SECURITY_HEADERS)
        if media_origin is not None:
            policy = self._headers["Content-Security-Policy"]
            self._headers["Content-Security-Policy"] = policy.replace(
                "media-src 'self'", f"media-src 'self' {media_origin}"
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        number = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request_id.set(number)
        session_id.set("")
        begin_s, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = number
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _record(scope, status, time.perf_counter() - begin_s)


def _record(scope: Scope, status: int, duration_s: float) -> None:
    # The route's template, never the path: a path holds a session's id.
    route = getattr(scope.get("route"), "path", "") or "(none)"
    HTTP_SECONDS.labels(scope["method"], route, status).observe(duration_s)
    extra = {"method": scope["method"], "route": route, "status": status, "duration_s": round(duration_s, 4)}
    logger.info("request", extra=extra)


class CallerMiddleware:
    """Refuses what a foreign page makes a browser send: on loopback there is no key to stop it.

    Args:
        app: The application.
        origins: Origins of pages that may write, next to our own.
        hosts: Names that we are called by. None for any.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], hosts: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        current_client.set(STRANGER)
        headers = Headers(scope=scope)
        if refusal := self._refusal(scope, headers.get("host", ""), headers.get("origin")):
            # Starlette's responses deny a WebSocket as well, where the server can do that.
            await JSONResponse(refusal, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, host: str, origin: str | None) -> dict[str, Any] | None:
        if self._hosts and _PORT.sub("", host).lower() not in self._hosts:
            message = (
                "This host name is not allowed here. Add it to GATEWAY_ALLOWED_HOSTS, or use another name."
            )
            return error_body("HOST_FORBIDDEN", message)
        writing = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if writing and origin is not None and not self._known(origin, host):
            message = "This page's site may not send requests here. Add its origin to GATEWAY_CORS_ORIGINS."
            return error_body("ORIGIN_FORBIDDEN", message)
        return None

    def _known(self, origin: str, host: str) -> bool:
        return "*" in self._origins or origin in self._origins or urlsplit(origin).netloc == host
