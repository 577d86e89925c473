"""States, results and the handling of sessions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from chassis.errors import InvalidInputError, NotFoundError
from chassis.limits import DEFAULT_PAGE_SESSION_COUNT, MAX_GROUP_CHARACTERS, MAX_PAGE_SESSION_COUNT
from gateway.deletion_schemas import Deletion, LegalHold, Receipt
from gateway.dependencies import GatewayDep, Managing, Reading, SessionId
from gateway.errors import to_response
from gateway.openapi import RESULT_REF
from gateway.reasons import ASKING, OF_A_SESSION, error_answers
from gateway.schemas import SessionList, StatusAnswer
from gateway.sessions import SessionState
from gateway.status import LEGACY_HEADER, describe

router = APIRouter(tags=["Sessions"])

NO_STORE = {"Cache-Control": "no-store"}
"""A state is old at once, and a result is nobody's but the asker's."""
MAX_VERSION = 2**31 - 1
"""What the contract's number holds."""


STATE_ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": StatusAnswer, "description": "Where it is."}}
STATUS_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": StatusAnswer,
        "description": "Where it is. When it has ended, `results_url` leads to its result document.",
        "links": {
            "results": {"operationId": "results", "parameters": {"session_id": "$response.body#/session_id"}}
        },
    }
}
LIST_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"model": SessionList, "description": "A page of sessions, the newest first."}
}
RESULT_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The result document. Its JSON Schema is served at `/schemas/result.json`.",
        "content": {"application/json": {"schema": {"$ref": RESULT_REF}}},
    }
}
RESULT_ERRORS = error_answers(
    *OF_A_SESSION,
    "RESULT_EXPIRED",
    "RESULT_NOT_MADE",
    "RESULT_VERSION_NOT_FOUND",
    "SESSION_NOT_FINISHED",
    "REQUEST_INVALID",
)


@router.get(
    "/status/{session_id}",
    response_model=None,
    responses=STATUS_ANSWERS | error_answers(*OF_A_SESSION, "REQUEST_INVALID"),
)
async def status(request: Request, session_id: SessionId, gateway: GatewayDep, _: Reading) -> Response:
    """Return where a session is."""
    legacy = LEGACY_HEADER in request.headers
    try:
        session = await gateway.orchestrator.get_session(session_id)
    except NotFoundError as error:
        return to_response(error, status="not_found", session_id=session_id)
    return JSONResponse(describe(session, legacy=legacy), headers=NO_STORE)


@router.get("/results/{session_id}", response_model=None, responses=RESULT_ANSWER | RESULT_ERRORS)
@router.get(  # the nearer one is matched first
    "/results/{session_id}.json",
    operation_id="results_json",
    response_model=None,
    responses=RESULT_ANSWER | RESULT_ERRORS,
)
async def results(
    session_id: SessionId,
    gateway: GatewayDep,
    _: Reading,
    version: Annotated[int | None, Query(ge=1, le=MAX_VERSION)] = None,
) -> Response:
    """Return a version of the result document: the one finished last, unless one is named."""
    document = await gateway.orchestrator.get_result(session_id, version)
    return Response(document, media_type="application/json", headers=NO_STORE)


@router.get(
    "/sessions",
    response_model=None,
    responses=LIST_ANSWER | error_answers("STATE_UNKNOWN", "PAGE_INVALID", "REQUEST_INVALID", *ASKING),
)
async def list_sessions(
    gateway: GatewayDep,
    _: Managing,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SESSION_COUNT)] = DEFAULT_PAGE_SESSION_COUNT,
    page_token: Annotated[str, Query(max_length=500)] = "",
    state: Annotated[str | None, Query(json_schema_extra={"enum": list(SessionState)})] = None,
    group: Annotated[
        str, Query(max_length=MAX_GROUP_CHARACTERS, description="Only sessions of this group of keys.")
    ] = "",
) -> Response:
    """List the sessions that the caller may see, the newest first."""
    page = await gateway.orchestrator.list_sessions(page_size, page_token, _wanted_state(state), group)
    sessions = [describe(session) for session in page.sessions]
    return JSONResponse({"success": True, "sessions": sessions, "next_page_token": page.next_page_token})


def _wanted_state(state: str | None) -> SessionState | None:
    if state is None:
        return None
    try:
        return SessionState(state)
    except ValueError:
        raise InvalidInputError(
            f"There is no such state. Ask for one of: {', '.join(SessionState)}.", reason="STATE_UNKNOWN"
        ) from None


@router.post(
    "/sessions/{session_id}/cancel",
    response_model=None,
    responses=STATE_ANSWER | error_answers(*OF_A_SESSION, "REQUEST_INVALID"),
)
async def cancel(session_id: SessionId, gateway: GatewayDep, _: Managing) -> Response:
    """Stop a session."""
    return JSONResponse(describe(await gateway.orchestrator.cancel_session(session_id)))


@router.post(
    "/sessions/{session_id}/retry",
    response_model=None,
    responses=STATE_ANSWER | error_answers(*OF_A_SESSION, "SESSION_NOT_FINISHED", "REQUEST_INVALID"),
)
async def retry(session_id: SessionId, gateway: GatewayDep, _: Managing) -> Response:
    """Run what failed again."""
    return JSONResponse(describe(await gateway.orchestrator.retry_session(session_id)))


@router.post(
    "/sessions/{session_id}/hold",
    responses=error_answers(*OF_A_SESSION, "SESSION_DELETED", "REQUEST_INVALID"),
)
async def hold(session_id: SessionId, gateway: GatewayDep, _: Managing) -> LegalHold:
    """Keep a session from deletion and expiry."""
    await gateway.orchestrator.set_legal_hold(session_id, held=True)
    return LegalHold(session_id=session_id, held=True)


@router.post(
    "/sessions/{session_id}/release",
    responses=error_answers(*OF_A_SESSION, "SESSION_DELETED", "REQUEST_INVALID"),
)
async def release(session_id: SessionId, gateway: GatewayDep, _: Managing) -> LegalHold:
    """Let a session go that was kept."""
    await gateway.orchestrator.set_legal_hold(session_id, held=False)
    return LegalHold(session_id=session_id, held=False)


@router.delete(
    "/sessions/{session_id}",
    responses=error_answers(*OF_A_SESSION, "SESSION_HELD", "SESSION_STOPPING", "REQUEST_INVALID"),
)
async def delete(session_id: SessionId, gateway: GatewayDep, _: Managing) -> Deletion:
    """Delete a session with its recordings, stage outputs and result."""
    receipt = await gateway.orchestrator.delete_session(session_id)
    return Deletion(
        session_id=session_id,
        message="The session and all that belongs to it is deleted.",
        receipt=Receipt.model_validate(asdict(receipt)),
    )
