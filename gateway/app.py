"""Puts the gateway together: dependencies come in, an ASGI application comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from chassis.scratch import remove_left_folders
from chassis.store import MediaStore, sweeping_parts
from gateway.auth import HEADER, KeyRing
from gateway.capabilities import KnownCapabilities
from gateway.dependencies import Gateway
from gateway.errors import install_error_handlers
from gateway.known_keys import KeySource
from gateway.middleware import REQUEST_ID_HEADER, CallerMiddleware, RequestMiddleware
from gateway.openapi import install_openapi
from gateway.ratelimit import UploadRateLimiter
from gateway.reader_cookie import ReaderCookies
from gateway.routes import capabilities as routes_capabilities
from gateway.routes import events as routes_events
from gateway.routes import media as routes_media
from gateway.routes import pages as routes_pages
from gateway.routes import sessions as routes_sessions
from gateway.routes import uploads as routes_uploads
from gateway.routes import versions as routes_versions
from gateway.routes import websocket as routes_websocket
from gateway.sessions import Orchestrator
from gateway.settings import GatewaySettings
from gateway.status import LEGACY_HEADER
from gateway.uploads.forms import UploadLimits
from gateway.uploads.pending import PendingSessions
from gateway.uploads.submission import Submitter

TITLE = "Interview assessment"
VERSION = "0.1.0"
DESCRIPTION = (
    "Takes recorded interview answers and gives an assessment that a recruiter can check. Every error has the"
    " same body: its `code` is for programs, and its `message` says what to do."
)
ROUTERS = tuple(
    routes.router
    for routes in (
        routes_uploads,
        routes_sessions,
        routes_versions,
        routes_events,
        routes_websocket,
        routes_media,
        routes_capabilities,
        routes_pages,
    )
)


def create_app(settings: GatewaySettings, orchestrator: Orchestrator, store: MediaStore) -> FastAPI:
    """Build the application.

    Args:
        settings: Its settings.
        orchestrator: Runs the sessions.
        store: Keeps the recordings.
    """
    if settings.spool_dir:
        settings.spool_dir.mkdir(parents=True, exist_ok=True)
    remove_left_folders(settings.spool_dir)
    gateway = _collaborators(settings, orchestrator, store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with PendingSessions(orchestrator, store).handed_over(), sweeping_parts(store):
            yield

    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.gateway = gateway
    # The last one added is the outermost.
    app.add_middleware(CallerMiddleware, origins=settings.cors_origins, hosts=settings.effective_hosts)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=(LEGACY_HEADER, HEADER, "Idempotency-Key", "Last-Event-ID", "Content-Type"),
        allow_credentials=False,  # keys travel in a header, never in another page's cookies
        expose_headers=(REQUEST_ID_HEADER, "Retry-After"),
    )
    media_origin = store.signed_origin if settings.media_delivery == "redirect" else None
    app.add_middleware(RequestMiddleware, media_origin=media_origin)
    install_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    install_openapi(app, ROUTERS)
    # After the routes: a mount swallows its whole prefix, which cost the original its /results.
    app.mount("/static", routes_pages.PageFiles(directory=routes_pages.STATIC_DIR), name="static")
    return app


def _collaborators(settings: GatewaySettings, orchestrator: Orchestrator, store: MediaStore) -> Gateway:
    return Gateway(
        settings=settings,
        orchestrator=orchestrator,
        store=store,
        submitter=Submitter(orchestrator, store),
        keys=_key_ring(settings),
        upload_rate=UploadRateLimiter(settings.rate_limit_uploads),
        upload_limits=UploadLimits(
            max_file_bytes=settings.max_file_bytes,
            max_file_count=settings.max_file_count,
            max_field_bytes=settings.max_field_bytes,
            max_field_count=settings.max_field_count,
            max_total_bytes=settings.max_total_bytes,
        ),
        capabilities=KnownCapabilities(orchestrator, settings.languages),
    )


def _key_ring(settings: GatewaySettings) -> KeyRing:
    secrets = [secret.get_secret_value() for secret in settings.cookie_secrets]
    return KeyRing(
        KeySource(settings.api_keys, settings.keys_file, settings.keys_reload_s),
        ReaderCookies(secrets, settings.cookie_lifetime_s),
        settings.heir_group,
    )
