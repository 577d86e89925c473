"""The page, the original's greeting, the API's documentation, health and metrics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import FileResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from chassis.errors import InterviewError
from gateway.dependencies import GatewayDep, Reading, let_in
from gateway.errors import error_body, http_status
from gateway.openapi import SCHEMA_PATH, result_schema
from gateway.reader_cookie import FORMER_COOKIE, cookie_name
from gateway.reasons import OF_THE_SPOOL, OF_THE_STORE, error_answers
from gateway.schemas import Health

router = APIRouter(tags=["Service"])

STATIC_DIR = Path(__file__).parents[1] / "static"
REVALIDATE = {"Cache-Control": "no-cache"}
"""A browser asks whether its copy is still right: page and scripts must be of one version."""
READY_TIMEOUT_S = 5.0
READY_ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": Health, "description": "Ready."}}
SCHEMA_MEDIA_TYPE = "application/schema+json"
SCHEMA_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A JSON Schema (draft 2020-12).",
        "content": {SCHEMA_MEDIA_TYPE: {"schema": {"type": "object"}}},
    }
}

GREETING: dict[str, Any] = {
    "message": "AI Interview Assessment System",
    "endpoints": {
        "upload": "POST /upload",
        "upload_json": "POST /upload_json",
        "status": "GET /status/{session_id}",
        "results": "GET /results/{session_id}",
        "docs": "GET /docs",
    },
}
"""What the original answers here, for programs. Its model's name is the services' to tell."""


class PageFiles(StaticFiles):
    """The page's scripts and styles."""

    def file_response(self, *args: Any, **values: Any) -> Response:
        """Return one file, to be asked about again each time."""
        response = super().file_response(*args, **values)
        response.headers.update(REVALIDATE)
        return response


@router.get("/", response_model=None, include_in_schema=False)
async def index(request: Request) -> Response:
    """Return the page to browsers and the original's JSON to programs."""
    if "text/html" in request.headers.get("accept", ""):
        return FileResponse(STATIC_DIR / "index.html", headers=REVALIDATE | {"Vary": "Accept"})
    return JSONResponse(GREETING, headers={"Vary": "Accept"})


@router.get("/docs", response_model=None, include_in_schema=False)
async def docs() -> Response:
    """Return the API's documentation: our own page, because FastAPI's loads from other hosts."""
    return FileResponse(STATIC_DIR / "docs.html", headers=REVALIDATE)


@router.get("/client-settings", include_in_schema=False)
async def client_settings(gateway: GatewayDep) -> dict[str, Any]:
    """Return what the page has to know: limits, languages and rubrics."""
    settings = gateway.settings
    offered = await gateway.capabilities.current()
    return {
        "max_file_bytes": settings.max_file_bytes,
        "max_file_count": settings.max_file_count,
        "languages": list(offered.language_codes),
        "rubrics": list(offered.rubric_ids),
        "key_needed": not gateway.keys.open,
        "sign_in_url": f"{settings.public_url}/signin" if settings.people_sign_in else "",
    }


@router.post("/login", status_code=204, response_class=Response, include_in_schema=False)
async def login(request: Request, gateway: GatewayDep) -> Response:
    """Give a browser with a key a cookie for what can't send the key. It reads only, and not for long."""
    client = await let_in(request, "read")
    response = Response(status_code=204)
    response.delete_cookie(FORMER_COOKIE)
    if client.key_sha256:  # Who signed in has a cookie that does more.
        value, lifetime_s = gateway.keys.cookie_for(client)
        scheme = request.url.scheme
        response.set_cookie(
            cookie_name(scheme),
            value,
            lifetime_s,
            path="/",
            httponly=True,
            samesite="strict",
            secure=scheme == "https",
        )
    return response


@router.post("/logout", status_code=204, response_class=Response, include_in_schema=False)
async def logout(request: Request) -> Response:
    """Take a browser's cookie, and what it kept of recordings. It needs no key: there is nothing to win."""
    response = Response(status_code=204, headers={"Clear-Site-Data": '"cache"'})
    scheme = request.url.scheme
    response.delete_cookie(
        cookie_name(scheme), path="/", httponly=True, samesite="strict", secure=scheme == "https"
    )
    return response


@router.get("/healthz")
async def healthz() -> Health:
    """Tell that the process lives."""
    return Health()


@router.get(SCHEMA_PATH, response_model=None, response_class=Response, responses=SCHEMA_ANSWER)
async def result_document_schema() -> Response:
    """Return the JSON Schema of the result document."""
    return Response(result_schema(), media_type=SCHEMA_MEDIA_TYPE, headers=REVALIDATE)


@router.get(
    "/readyz",
    response_model=None,
    responses=READY_ANSWER
    | error_answers("NOT_READY", "ORCHESTRATOR_UNAVAILABLE", *OF_THE_STORE, *OF_THE_SPOOL, always=()),
)
async def readyz(gateway: GatewayDep) -> Response:
    """Tell whether uploads can be taken: the orchestrator answers, store and spool can be written."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await gateway.readiness.check()
    except InterviewError as error:
        return JSONResponse(error_body(error.reason, error.message, status="unavailable"), http_status(error))
    except TimeoutError:
        message = "The store or the orchestrator did not answer in time. Try again in some seconds."
        return JSONResponse(error_body("NOT_READY", message, status="unavailable"), 503)
    return JSONResponse({"status": "ok"})


@router.get("/metrics", response_model=None, include_in_schema=False)
async def metrics(_: Reading) -> Response:
    """Return the process's metrics for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
