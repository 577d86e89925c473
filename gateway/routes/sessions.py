"""States, results and the handling of sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from chassis.errors import NotFoundError
from gateway.dependencies import GatewayDep, Managing, Reading, SessionId
from gateway.errors import to_response
from gateway.schemas import ERROR_RESPONSES, Deletion, SessionList
from gateway.sessions import SessionState
from gateway.status import LEGACY_HEADER, describe

router = APIRouter(responses=ERROR_RESPONSES, tags=["Sessions"])

NO_STORE = {"Cache-Control": "no-store"}
"""A state is old at once, and a result is nobody's but the asker's."""
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_VERSION = 2**31 - 1
"""What the contract's number holds."""


@router.get("/status/{session_id}", response_model=None)
async def status(request: Request, session_id: SessionId, gateway: GatewayDep, _: Reading) -> Response:
    """Return where a session is."""
    legacy = LEGACY_HEADER in request.headers
    try:
        session = await gateway.orchestrator.get_session(session_id)
    except NotFoundError as error:
        return to_response(error, status="not_found", session_id=session_id)
    return JSONResponse(describe(session, legacy=legacy), headers=NO_STORE)


@router.get("/results/{session_id}", response_model=None)
@router.get("/results/{session_id}.json", response_model=None)  # the nearer one is matched first
async def results(
    session_id: SessionId,
    gateway: GatewayDep,
    _: Reading,
    version: Annotated[int | None, Query(ge=1, le=MAX_VERSION)] = None,
) -> Response:
    """Return a version of the result document: the one finished last, unless one is named."""
    document = await gateway.orchestrator.get_result(session_id, version)
    return Response(document, media_type="application/json", headers=NO_STORE)


@router.get("/sessions")
async def list_sessions(
    gateway: GatewayDep,
    _: Managing,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
    page_token: Annotated[str, Query(max_length=500)] = "",
    state: SessionState | None = None,
) -> SessionList:
    """List sessions, the newest first."""
    page = await gateway.orchestrator.list_sessions(page_size, page_token, state)
    return SessionList(
        sessions=[describe(session) for session in page.sessions], next_page_token=page.next_page_token
    )


@router.post("/sessions/{session_id}/cancel")
async def cancel(session_id: SessionId, gateway: GatewayDep, _: Managing) -> dict[str, Any]:
    """Stop a session."""
    return describe(await gateway.orchestrator.cancel_session(session_id))


@router.post("/sessions/{session_id}/retry")
async def retry(session_id: SessionId, gateway: GatewayDep, _: Managing) -> dict[str, Any]:
    """Run what failed again."""
    return describe(await gateway.orchestrator.retry_session(session_id))


@router.delete("/sessions/{session_id}")
async def delete(session_id: SessionId, gateway: GatewayDep, _: Managing) -> Deletion:
    """Delete a session with its recordings, stage outputs and result."""
    await gateway.orchestrator.delete_session(session_id)
    return Deletion(session_id=session_id, message="The session and all that belongs to it is deleted.")
