"""States, results and the handling of sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from chassis.errors import InvalidInputError, NotFoundError, PreconditionError
from chassis.limits import DEFAULT_PAGE_SESSION_COUNT, MAX_PAGE_SESSION_COUNT
from gateway.dependencies import Gateway, GatewayDep, Managing, Reading, SessionId
from gateway.errors import to_response
from gateway.schemas import ERROR_RESPONSES, Deletion, SessionList
from gateway.sessions import SessionState, SessionView
from gateway.status import LEGACY_HEADER, describe

router = APIRouter(responses=ERROR_RESPONSES, tags=["Sessions"])

NO_STORE = {"Cache-Control": "no-store"}
"""A state is old at once, and a result is nobody's but the asker's."""
MAX_VERSION = 2**31 - 1
"""What the contract's number holds."""


async def find_session(gateway: Gateway, session_id: str) -> SessionView:
    """Return a session's state, wherever it is: here, in the orchestrator, or in another replica.

    Raises:
        NotFoundError: It is nowhere.
    """
    if preparing := gateway.preparations.view(session_id):
        return preparing
    try:
        return await gateway.orchestrator.get_session(session_id)
    except NotFoundError:
        if preparing := await gateway.preparations.stored_view(session_id):
            return preparing
        raise


async def check_fetched(gateway: Gateway, session_id: str) -> None:
    """Tell a session that the orchestrator does not have yet from one that nobody has.

    Raises:
        PreconditionError: Its recordings are still being fetched (`SESSION_NOT_FINISHED`).
    """
    if gateway.preparations.view(session_id) or await gateway.preparations.stored_view(session_id):
        raise PreconditionError(
            "The recordings are still being fetched. Ask for the status.", reason="SESSION_NOT_FINISHED"
        ) from None


@router.get("/status/{session_id}", response_model=None)
async def status(request: Request, session_id: SessionId, gateway: GatewayDep, _: Reading) -> Response:
    """Return where a session is."""
    legacy = LEGACY_HEADER in request.headers
    try:
        session = await find_session(gateway, session_id)
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
    try:
        document = await gateway.orchestrator.get_result(session_id, version)
    except NotFoundError:
        await check_fetched(gateway, session_id)
        raise
    return Response(document, media_type="application/json", headers=NO_STORE)


@router.get("/sessions")
async def list_sessions(
    gateway: GatewayDep,
    _: Managing,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SESSION_COUNT)] = DEFAULT_PAGE_SESSION_COUNT,
    page_token: Annotated[str, Query(max_length=500)] = "",
    state: Annotated[str | None, Query(json_schema_extra={"enum": list(SessionState)})] = None,
) -> SessionList:
    """List sessions, the newest first."""
    page = await gateway.orchestrator.list_sessions(page_size, page_token, _wanted_state(state))
    return SessionList(
        sessions=[describe(session) for session in page.sessions], next_page_token=page.next_page_token
    )


def _wanted_state(state: str | None) -> SessionState | None:
    if state is None:
        return None
    try:
        return SessionState(state)
    except ValueError:
        raise InvalidInputError(
            f"There is no such state. Ask for one of: {', '.join(SessionState)}.", reason="STATE_UNKNOWN"
        ) from None


@router.post("/sessions/{session_id}/cancel")
async def cancel(session_id: SessionId, gateway: GatewayDep, _: Managing) -> dict[str, Any]:
    """Stop a session."""
    session = await gateway.preparations.cancel(session_id)
    return describe(session or await gateway.orchestrator.cancel_session(session_id))


@router.post("/sessions/{session_id}/retry")
async def retry(session_id: SessionId, gateway: GatewayDep, _: Managing) -> dict[str, Any]:
    """Run what failed again."""
    return describe(await gateway.orchestrator.retry_session(session_id))


@router.delete("/sessions/{session_id}")
async def delete(session_id: SessionId, gateway: GatewayDep, _: Managing) -> Deletion:
    """Delete a session with its recordings, stage outputs and result."""
    if not await gateway.preparations.discard(session_id):
        await gateway.orchestrator.delete_session(session_id)
    return Deletion(session_id=session_id, message="The session and all that belongs to it is deleted.")
