"""Puts the gateway together: dependencies come in, an ASGI application comes out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chassis.scratch import remove_left_folders, sweeping_folders
from chassis.start_folders import needed_folder
from chassis.store import MediaStore, sweeping_parts
from gateway.audit_notes import AuditNotes
from gateway.auth import HEADER, KeyRing, utc_now
from gateway.browsers import Browsers
from gateway.capabilities import KnownCapabilities
from gateway.dependencies import Gateway
from gateway.errors import install_error_handlers
from gateway.foreign_pages import CallerMiddleware, OwnNames
from gateway.guesses import failed_sign_ins, wrong_keys
from gateway.known_keys import KeySource
from gateway.middleware import REQUEST_ID_HEADER, BodyBounds, RequestMiddleware
from gateway.openapi import install_openapi
from gateway.original_page import OriginalPage
from gateway.people.persons import People
from gateway.people.provider import Provider
from gateway.people.sign_in import ATTEMPT_LIFETIME_S, SignIn
from gateway.places import places_of_streams, places_of_uploads
from gateway.quotas import UploadQuotas
from gateway.rates import Rates, open_shared_storage
from gateway.reader_cookie import ReaderCookies
from gateway.readiness import Readiness
from gateway.routes import audit as routes_audit
from gateway.routes import capabilities as routes_capabilities
from gateway.routes import events as routes_events
from gateway.routes import media as routes_media
from gateway.routes import original_page as routes_original_page
from gateway.routes import pages as routes_pages
from gateway.routes import sessions as routes_sessions
from gateway.routes import signing_in as routes_signing_in
from gateway.routes import uploads as routes_uploads
from gateway.routes import usage as routes_usage
from gateway.routes import versions as routes_versions
from gateway.routes import websocket as routes_websocket
from gateway.sealed import Seal
from gateway.sessions import Orchestrator
from gateway.settings import GatewaySettings
from gateway.status import LEGACY_HEADER
from gateway.uploads.early import EarlyCopies
from gateway.uploads.forms import UploadLimits
from gateway.uploads.pending import PendingSessions
from gateway.uploads.submission import Submitter
from gateway.usage import Usage

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
        routes_usage,
        routes_audit,
        routes_signing_in,
        routes_original_page,
        routes_pages,
    )
)


def create_app(settings: GatewaySettings, orchestrator: Orchestrator, store: MediaStore) -> FastAPI:
    """Build the application.

    Args:
        settings: Its settings.
        orchestrator: Runs the sessions.
        store: Keeps the recordings.

    Raises:
        PreconditionError: The folder for arriving recordings can't be made or used (`FOLDER_UNUSABLE`).
    """
    if settings.spool_dir:
        with needed_folder("GATEWAY_SPOOL_DIR"):
            settings.spool_dir.mkdir(parents=True, exist_ok=True)
    remove_left_folders(settings.spool_dir)
    gateway = _collaborators(settings, orchestrator, store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with (
            gateway.rates.counting(),
            gateway.audit.sent(),
            PendingSessions(orchestrator, store).handed_over(),
            sweeping_parts(store),
            sweeping_folders(settings.spool_dir),
        ):
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
    media_origin = store.signed_origin if settings.media_delivery == "redirect" else None
    _add_middleware(app, settings, media_origin)
    install_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    install_openapi(app, ROUTERS)
    # After the routes: a mount swallows its whole prefix, which cost the original its /results.
    app.mount("/static", routes_pages.PageFiles(directory=routes_pages.STATIC_DIR), name="static")
    return app


def _add_middleware(app: FastAPI, settings: GatewaySettings, media_origin: str | None) -> None:
    # The last one added is the outermost.
    app.add_middleware(
        CallerMiddleware, origins=settings.cors_origins, names=OwnNames(settings.effective_hosts)
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=(LEGACY_HEADER, HEADER, "Idempotency-Key", "Last-Event-ID", "Content-Type"),
        allow_credentials=False,  # keys travel in a header, never in another page's cookies
        expose_headers=(REQUEST_ID_HEADER, "Retry-After"),
    )
    app.add_middleware(
        RequestMiddleware,
        bounds=BodyBounds(
            idle_timeout_s=settings.upload_idle_timeout_s,
            min_bytes_per_s=settings.upload_min_bytes_per_s,
            window_s=settings.upload_window_s,
            timeout_s=settings.upload_timeout_s,
        ),
        media_origin=media_origin,
        hsts_max_age_s=settings.hsts_max_age_s,
    )
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.proxies))


def _collaborators(settings: GatewaySettings, orchestrator: Orchestrator, store: MediaStore) -> Gateway:
    rates = Rates(open_shared_storage(settings.rate_limit_storage.get_secret_value()))
    usage = Usage(store)
    audit = AuditNotes(lambda: orchestrator.audit)
    sign_secrets = [secret.get_secret_value().encode() for secret in settings.cookie_secrets]
    sign_secrets = sign_secrets or [secrets.token_bytes(32)]
    keys = _key_ring(settings, rates, sign_secrets, audit)
    return Gateway(
        settings=settings,
        orchestrator=orchestrator,
        store=store,
        submitter=Submitter(orchestrator, store, settings.session_id_secret.get_secret_value().encode()),
        keys=keys,
        browsers=_browsers(settings, rates, keys, sign_secrets, audit),
        rates=rates,
        quotas=UploadQuotas(rates, usage, settings.rate_limit_uploads, settings.rate_limit_bytes),
        usage=usage,
        stream_places=places_of_streams(settings.max_streams, settings.max_streams_per_client),
        upload_places=places_of_uploads(settings.max_concurrent_uploads, settings.max_uploads_per_client),
        upload_limits=UploadLimits(
            max_file_bytes=settings.max_file_bytes,
            max_file_count=settings.max_file_count,
            max_field_bytes=settings.max_field_bytes,
            max_field_count=settings.max_field_count,
            max_total_bytes=settings.max_total_bytes,
        ),
        early_copies=EarlyCopies(
            orchestrator, store, max_count=settings.early_count, after_s=settings.early_after_s
        ),
        readiness=Readiness(orchestrator, store, settings.spool_dir, settings.max_file_bytes),
        capabilities=KnownCapabilities(orchestrator, settings.languages),
        audit=audit,
    )


def _key_ring(
    settings: GatewaySettings, rates: Rates, sign_secrets: Sequence[bytes], audit: AuditNotes
) -> KeyRing:
    source = KeySource(settings.api_keys, settings.keys_file, settings.keys_reload_s, on_book=audit.keys_read)
    source.known()  # A file that can't be used is said at the start, and not with the first refusal.
    return KeyRing(
        source,
        ReaderCookies(sign_secrets, settings.cookie_lifetime_s),
        wrong_keys(rates, settings.rate_limit_wrong_keys),
        settings.heir_group,
        refused=audit.key_refused,
        people_sign_in=settings.people_sign_in,
    )


def _browsers(
    settings: GatewaySettings,
    rates: Rates,
    keys: KeyRing,
    sign_secrets: Sequence[bytes],
    audit: AuditNotes,
) -> Browsers:
    page_seal = Seal(sign_secrets, "original-page", settings.original_page_lifetime_s)
    page = OriginalPage(settings.original_page_dir, settings.original_page_key, keys, page_seal)
    if not settings.people_sign_in:
        return Browsers(None, None, page, "", utc_now)
    # Of another provider, or for another client, a cookie counts no more.
    provider_name = f"{settings.oidc_issuer}\0{settings.oidc_client_id}"
    seal = Seal(sign_secrets, f"person\0{provider_name}", settings.sign_in_lifetime_s)
    people = People(seal, settings.oidc_groups, settings.heir_group)
    attempt_seal = Seal(sign_secrets, f"signing-in\0{provider_name}", ATTEMPT_LIFETIME_S)
    guesses = failed_sign_ins(rates, settings.rate_limit_wrong_keys)
    sign_in = SignIn(settings, Provider(settings), people, attempt_seal, guesses, utc_now, audit)
    return Browsers(people, sign_in, page, settings.public_url, utc_now)
