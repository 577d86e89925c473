"""The web server in front of the application: uvicorn on h11, with bounds on headers and a polite end.

h11 bounds what it keeps of an unfinished head, and httptools does not (`docs/decisions/0014`). uvicorn bounds
the time between requests, but not the time of a head. It also closes a connection while its client still
sends, and the client may then lose our answer. Here the writing half is closed first.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from functools import partial
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.errors import error_body
from gateway.middleware import REQUEST_ID_HEADER, SECURITY_HEADERS
from gateway.settings import GatewaySettings
from gateway.web_log import keep_clients_out_of_the_log

KEEP_ALIVE_S = 75
"""Above the 60 s of usual proxies, so that it is they who close an idle connection."""
DRAIN_S = 30
MAX_HEAD_BYTES = 65_536
"""Of a request's line and headers. Browsers and proxies stay below 16 KB."""
HEAD_TOO_LARGE = (
    "HTTP_INVALID",
    f"The address and the headers have more than {MAX_HEAD_BYTES // 1024} KB. Send fewer or shorter ones.",
)
LENGTH_AMBIGUOUS = (
    "LENGTH_AMBIGUOUS",
    "The request has a Transfer-Encoding beside a Content-Length, or in HTTP/1.0. Send one of both.",
)
LINGER_BYTES = 1_000_000
LINGER_S = 2.0
"""So much and so long a client may still send behind its answer, so that it can read that."""


class BoundedConnection(h11.Connection):
    """Reads requests whose head is not too large, and whose end is clear.

    h11 bounds a head only for as long as it is not whole. One that comes in a single read passes it.
    """

    refusal = ("HTTP_INVALID", "The request is not valid HTTP. Correct it.")
    """Why the last request is refused: reason and message."""

    def next_event(self) -> Any:
        """See `h11.Connection`.

        Raises:
            h11.RemoteProtocolError: The request is not valid, too large in its head, or ends unclearly.
        """
        if self.their_state is not h11.IDLE:
            return super().next_event()
        before_bytes = len(self.trailing_data[0])
        if before_bytes > MAX_HEAD_BYTES:
            self.refusal = HEAD_TOO_LARGE  # In case that h11 does not find its end.
        event = super().next_event()
        if isinstance(event, h11.Request):
            if before_bytes - len(self.trailing_data[0]) > MAX_HEAD_BYTES:
                raise h11.RemoteProtocolError("the head is too large")
            self.refusal = BoundedConnection.refusal
            self._check_end(event)
        return event

    def _check_end(self, request: h11.Request) -> None:
        """Refuse two ways to tell where a body ends: who stands before us may believe the other one."""
        names = {name for name, _ in request.headers}
        chunked = b"transfer-encoding" in names
        if chunked and (b"content-length" in names or request.http_version < b"1.1"):
            self.refusal = LENGTH_AMBIGUOUS
            raise h11.RemoteProtocolError("the end of the body is not clear")


class BoundedProtocol(H11Protocol):
    """One connection.

    Args:
        args: As uvicorn gives them.
        head_timeout_s: Time for the line and the headers of a request, from its first byte on. For the first
            one from the connection on.
        options: As uvicorn gives them.
    """

    def __init__(self, *args: Any, head_timeout_s: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn: BoundedConnection = BoundedConnection(h11.SERVER, MAX_HEAD_BYTES)
        self._head_timeout_s = head_timeout_s
        self._head_timer: asyncio.TimerHandle | None = None
        self._lingering = False
        self._refused = False
        self._socket: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        self._socket = transport
        super().connection_made(cast("asyncio.Transport", _PoliteTransport(self, transport)))
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._cancel_head_timer()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._cancel_head_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self._head_timeout_s, self._head_is_late)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self.conn.their_state is h11.IDLE and not self._socket.is_closing():
            message = f"The headers did not arrive within {self._head_timeout_s:g} s. Send the request again."
            self._refuse(408, "HEADERS_STALLED", message)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's own words
        """Refuse what is not HTTP, has too much of it, or does not say clearly where it ends."""
        self._refuse(400, *self.conn.refusal)

    def _refuse(self, status: int, reason: str, message: str) -> None:
        body = json.dumps(error_body(reason, message)).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
            (REQUEST_ID_HEADER, uuid.uuid4().hex),
            *SECURITY_HEADERS.items(),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self._socket.write(self.conn.send(event) or b"")
        self._refused = True
        self.transport.close()

    def shutdown(self) -> None:
        """See `H11Protocol`."""
        if self._lingering:
            self._socket.abort()
        else:
            super().shutdown()

    @property
    def lingering(self) -> bool:
        """Whether the answer is out and the client may read it, before the connection is cut."""
        return self._lingering

    def close_politely(self) -> None:
        """End the connection. A client that still sends gets time to read what was answered."""
        if self._lingering:
            return
        still_sending = self._refused or self.conn.their_state is h11.SEND_BODY
        if still_sending and self._socket.can_write_eof() and not self._socket.is_closing():
            self._lingering = True
            self._socket.write_eof()
            self._socket.set_protocol(_Discarding(self, self._socket))
            self._socket.resume_reading()
        else:
            self._socket.close()


class _PoliteTransport:
    """A transport that is closed by its protocol's rule. All else is the transport's own."""

    def __init__(self, protocol: BoundedProtocol, transport: asyncio.Transport) -> None:
        self._protocol = protocol
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        self._protocol.close_politely()

    def is_closing(self) -> bool:
        return self._protocol.lingering or self._transport.is_closing()


class _Discarding(asyncio.Protocol):
    """What follows an answer that came early: drops so much, for so long, then cuts the connection."""

    def __init__(self, before: BoundedProtocol, transport: asyncio.Transport) -> None:
        self._before = before
        self._transport = transport
        self._left_bytes = LINGER_BYTES
        self._timer = before.loop.call_later(LINGER_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._transport.pause_reading()  # Until the time is over: it may be reading our answer just now.

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._before.connection_lost(exc)


def server_config(app: Any, settings: GatewaySettings) -> uvicorn.Config:
    """Return how the application is served."""
    keep_clients_out_of_the_log()
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=cast("Any", partial(BoundedProtocol, head_timeout_s=settings.head_timeout_s)),
        log_config=None,
        access_log=False,  # ours has the session's id and no path
        server_header=False,
        proxy_headers=False,  # the application looks at them itself, for named proxies
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
