"""What the handlers work with, and how they get at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from chassis.api_keys import Scope
from chassis.errors import ForbiddenError
from chassis.store import MediaStore
from chassis.telemetry import session_id as session_id_var
from gateway.audit_notes import AuditNotes
from gateway.auth import HEADER, Credentials, KeyRing
from gateway.browsers import SAFE_METHODS, Browsers
from gateway.callers import Client, current_client
from gateway.capabilities import KnownCapabilities
from gateway.places import Places
from gateway.quotas import UploadQuotas
from gateway.rates import Rates
from gateway.reader_cookie import cookie_name
from gateway.readiness import Readiness
from gateway.sessions import Orchestrator, parse_session_id
from gateway.settings import GatewaySettings
from gateway.uploads.early import EarlyCopies
from gateway.uploads.forms import UploadLimits
from gateway.uploads.submission import Submitter
from gateway.usage import Usage


@dataclass
class Gateway:
    """The dependencies of one application."""

    settings: GatewaySettings
    orchestrator: Orchestrator
    store: MediaStore
    submitter: Submitter
    keys: KeyRing
    browsers: Browsers
    rates: Rates
    quotas: UploadQuotas
    usage: Usage
    upload_places: Places
    stream_places: Places
    upload_limits: UploadLimits
    early_copies: EarlyCopies
    capabilities: KnownCapabilities
    readiness: Readiness
    audit: AuditNotes


def gateway_of(connection: HTTPConnection) -> Gateway:
    """Return the application's dependencies."""
    return cast(Gateway, connection.app.state.gateway)


async def let_in(connection: HTTPConnection, *scopes: Scope) -> Client:
    """Return who sent a request or opens a WebSocket, and let it act as that client from now on.

    A key goes before what the browser's cookies say.

    Raises:
        ForbiddenError: It may not. See `KeyRing.let_in` and `Browsers.client_of`.
    """
    gateway, has_key = gateway_of(connection), HEADER in connection.headers
    client = None if has_key else gateway.browsers.client_of(connection, scopes)
    if client is None:
        try:
            client = await _by_key(connection, scopes)
        except ForbiddenError:
            if not has_key:
                gateway.browsers.check_ended(connection)
            raise
    current_client.set(client)
    return client


async def _by_key(connection: HTTPConnection, scopes: Sequence[Scope]) -> Client:
    changes = connection.scope.get("method", "GET") not in SAFE_METHODS
    return await gateway_of(connection).keys.let_in(
        Credentials(
            address=connection.client.host if connection.client else "unknown",
            key=connection.headers.get(HEADER),
            cookie=None if changes else connection.cookies.get(cookie_name(connection.url.scheme)),
        ),
        *scopes,
    )


def require(*scopes: Scope) -> Callable[[Request], Awaitable[Client]]:
    """Return a dependency that lets in clients with one of these scopes and returns who they are."""

    async def authenticated(request: Request) -> Client:
        return await let_in(request, *scopes)

    return authenticated


# Dependencies are coroutines: a plain function would run in a thread, where a context variable that it
# sets is lost, at the price of two thread switches a request.
async def _gateway(connection: HTTPConnection) -> Gateway:
    return gateway_of(connection)


async def _session_id(session_id: str) -> str:
    parsed = parse_session_id(session_id)
    session_id_var.set(parsed)
    return parsed


GatewayDep = Annotated[Gateway, Depends(_gateway)]
SessionId = Annotated[str, Depends(_session_id)]
_submitting, _reading, _managing = require("submit"), require("read"), require("manage")
_reviewing, _administering = require("review", "manage"), require("admin")
Submitting = Annotated[Client, Depends(_submitting)]
Reading = Annotated[Client, Depends(_reading)]
Managing = Annotated[Client, Depends(_managing)]
Reviewing = Annotated[Client, Depends(_reviewing)]
Administering = Annotated[Client, Depends(_administering)]
SCOPES: dict[object, tuple[Scope, ...]] = {
    _submitting: ("submit",),
    _reading: ("read",),
    _managing: ("manage",),
    _reviewing: ("review", "manage"),
    _administering: ("admin",),
}
"""The scopes that a dependency asks for, one of them, for the API's documentation."""
