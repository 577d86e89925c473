"""Around every request: its id, one log line, its duration, security headers, and how its body comes."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import InvalidInputError
from chassis.telemetry import SECONDS_BUCKETS, request_id, session_id
from gateway.callers import current_client
from gateway.errors import answer_of_bug

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
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Nothing from elsewhere runs on our page, whatever a candidate typed, and no page from elsewhere shows what
is ours. Pages of GATEWAY_CORS_ORIGINS ask by CORS, which the resource policy does not concern. What may be
kept in a cache says so itself."""

DRAIN_BYTES = 32_000_000
DRAIN_S = 3.0
"""Before a refusal this much more is read and dropped: a browser that is cut off in the middle of
sending shows "network error" in place of our answer. No more than this, or a client could go on forever."""
COMING_BACK_STATUSES = (503, 504, 507)
RETRY_AFTER_S = "30"
"""What clients are told to wait where the error says nothing better."""
UNREAD_STATUSES = (408, 503, 507)
"""Answers of a busy system, and to clients that are slow. They go out at once: who is busy reads no more."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class BodyBounds:
    """How a body has to come. Only time in which we wait for the client counts."""

    idle_timeout_s: float
    """Longest silence."""
    min_bytes_per_s: float
    """Least mean rate over each `window_s`."""
    window_s: float
    timeout_s: float
    """Longest wait for the whole body."""


class ArrivingBody:
    """One request's body as it arrives.

    Args:
        receive: Where it comes from.
        bounds: How it has to come.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, receive: Receive, bounds: BodyBounds, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receive = receive
        self._bounds = bounds
        self._clock = clock
        self._waited_s = 0.0
        self._window_s = 0.0
        self._window_bytes = 0
        self.awaited = False
        """Whether the client sends nothing before it is told to (`Expect: 100-continue`), and was not yet.
        The first call for the body tells it."""
        self.ended = False
        """Whether all of it was read, or the client has left."""
        self.answered = False
        """Whether the answer has begun. What comes then is nobody's any more."""

    def announced(self, headers: Headers) -> None:
        """Learn from a request's headers what is to come."""
        self.ended = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        self.awaited = headers.get("expect", "").lower() == "100-continue"

    async def receive(self) -> Message:
        """Return the next message, as ASGI has it.

        Raises:
            InvalidInputError: The body comes too slowly (`UPLOAD_STALLED`, `UPLOAD_TOO_SLOW`).
        """
        bounds, silent_s = self._bounds, 0.0
        self.awaited = False
        while not (self.ended or self.answered):
            left_s = min(
                bounds.idle_timeout_s - silent_s,
                bounds.timeout_s - self._waited_s,
                bounds.window_s - self._window_s,
            )
            begin_s, message = self._clock(), None
            try:
                async with asyncio.timeout(max(left_s, 0.0)):
                    message = await self._receive()
            except TimeoutError:
                pass
            waited_s = self._clock() - begin_s
            self._waited_s += waited_s
            self._window_s += waited_s
            silent_s += waited_s
            if message is not None:
                self._window_bytes += len(message.get("body", b""))
                self.ended = message["type"] != "http.request" or not message.get("more_body", False)
                return message
            self._check(silent_s)
        return await self._receive()

    def _check(self, silent_s: float) -> None:
        bounds = self._bounds
        if silent_s >= bounds.idle_timeout_s:
            raise InvalidInputError(
                f"Nothing arrived for {bounds.idle_timeout_s:g} s. Send the upload again.",
                reason="UPLOAD_STALLED",
            )
        if self._waited_s >= bounds.timeout_s:
            raise _too_slow(f"It may take {bounds.timeout_s / 60:g} min in all")
        if self._window_s >= bounds.window_s:
            if self._window_bytes < bounds.min_bytes_per_s * self._window_s:
                raise _too_slow(f"At least {bounds.min_bytes_per_s / 1000:g} kB a second have to arrive")
            self._window_s, self._window_bytes = 0.0, 0

    async def drain(self, max_bytes: int = DRAIN_BYTES, max_s: float = DRAIN_S) -> None:
        """Read and drop what still comes, up to a point."""
        self.answered, dropped_bytes = True, 0
        try:
            async with asyncio.timeout(max_s):
                while not self.ended and dropped_bytes <= max_bytes:
                    message = await self._receive()
                    dropped_bytes += len(message.get("body", b""))
                    self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        except TimeoutError:
            return


def _too_slow(rule: str) -> InvalidInputError:
    return InvalidInputError(
        f"The upload comes too slowly. {rule}. Send it over a faster connection, or send smaller videos.",
        reason="UPLOAD_TOO_SLOW",
    )


class RequestMiddleware:
    """Plain ASGI, so that streams and their cancellation pass through untouched.

    Args:
        app: The application.
        bounds: How bodies have to come.
        media_origin: Where else our page may play recordings from. None: nowhere.
        hsts_max_age_s: How long a browser that came over https stays there. 0: it is not told to.
    """

    def __init__(
        self, app: ASGIApp, bounds: BodyBounds, media_origin: str | None = None, hsts_max_age_s: int = 0
    ) -> None:
        self._app = app
        self._bounds = bounds
        self._headers = dict(SECURITY_HEADERS)
        if media_origin is not None:
            policy = self._headers["Content-Security-Policy"]
            self._headers["Content-Security-Policy"] = policy.replace(
                "media-src 'self'", f"media-src 'self' {media_origin}"
            )
        self._https_headers = dict(self._headers)
        if hsts_max_age_s:
            self._https_headers["Strict-Transport-Security"] = f"max-age={hsts_max_age_s}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        given = asked.get(REQUEST_ID_HEADER, "")
        number = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request_id.set(number)
        session_id.set("")
        begin_s, status, begun = time.perf_counter(), 500, False
        body = ArrivingBody(receive, self._bounds)
        body.announced(asked)

        async def send_with_headers(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = number
                self._complete(headers, scope["scheme"], status)
                if not body.ended:
                    await _let_go(body, status, headers)
            await send(message)

        try:
            await self._app(scope, body.receive, send_with_headers)
        except Exception as error:
            if begun:
                raise  # Whoever reads the answer sees that it breaks off.
            # Here, because the framework would answer outside of this, without headers and id.
            await answer_of_bug(error)(scope, receive, send_with_headers)
        finally:
            _record(scope, status, time.perf_counter() - begin_s)

    def _complete(self, headers: MutableHeaders, scheme: str, status: int) -> None:
        """Add what the answer does not say itself."""
        for name, value in (self._https_headers if scheme == "https" else self._headers).items():
            headers.setdefault(name, value)
        if status in COMING_BACK_STATUSES:
            headers.setdefault("Retry-After", RETRY_AFTER_S)


async def _let_go(body: ArrivingBody, status: int, headers: MutableHeaders) -> None:
    """Answer before the whole body was read: be polite if there is time, and end the connection with it."""
    body.answered = True
    if status not in UNREAD_STATUSES and not body.awaited:
        await body.drain()
    if not body.ended:
        # Else the web server would go on reading (and dropping) for as long as a client sends.
        headers["Connection"] = "close"


def _record(scope: Scope, status: int, duration_s: float) -> None:
    # The route's template, never the path: a path holds a session's id.
    route = getattr(scope.get("route"), "path", "") or "(none)"
    HTTP_SECONDS.labels(scope["method"], route, status).observe(duration_s)
    extra = {"method": scope["method"], "route": route, "status": status, "duration_s": round(duration_s, 4)}
    client = current_client.get()
    # A key's name or a person's number, never an address: that is logged only where somebody is refused.
    logger.info("request", extra=extra | ({"client": client.name} if client.known else {}))
