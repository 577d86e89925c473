"""What the handlers work with, and how they get at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from chassis.store import MediaStore
from chassis.telemetry import session_id as session_id_var
from gateway.auth import COOKIE, HEADER, Client, KeyRing
from gateway.capabilities import KnownCapabilities
from gateway.ratelimit import UploadPlaces, UploadRateLimiter
from gateway.sessions import Orchestrator, parse_session_id
from gateway.settings import GatewaySettings, Scope
from gateway.uploads.forms import UploadLimits
from gateway.uploads.submission import Submitter

SAFE_METHODS = ("GET", "HEAD")


@dataclass
class Gateway:
    """The dependencies of one application."""

    settings: GatewaySettings
    orchestrator: Orchestrator
    store: MediaStore
    submitter: Submitter
    keys: KeyRing
    upload_rate: UploadRateLimiter
    upload_places: UploadPlaces
    upload_limits: UploadLimits
    capabilities: KnownCapabilities


def gateway_of(connection: HTTPConnection) -> Gateway:
    """Return the application's dependencies."""
    return cast(Gateway, connection.app.state.gateway)


def require(scope: Scope) -> Callable[[Request], Awaitable[Client]]:
    """Return a dependency that lets in clients with a scope and returns who they are."""

    async def authenticated(request: Request) -> Client:
        presented = request.headers.get(HEADER)
        if presented is None and request.method in SAFE_METHODS:
            presented = request.cookies.get(COOKIE)
        address = request.client.host if request.client else "unknown"
        return gateway_of(request).keys.authenticate(presented, scope, address)

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
Submitting = Annotated[Client, Depends(_submitting)]
Reading = Annotated[Client, Depends(_reading)]
Managing = Annotated[Client, Depends(_managing)]
SCOPES: dict[object, Scope] = {_submitting: "submit", _reading: "read", _managing: "manage"}
"""The scope that a dependency asks for, for the API's documentation."""
