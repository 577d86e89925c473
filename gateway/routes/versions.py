"""Judging a finished session again, and the versions of its result."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from gateway.dependencies import GatewayDep, Reading, Reviewing, SessionId
from gateway.reasons import OF_A_SESSION, error_answers
from gateway.request_schemas import ORDER_BODY, read_body
from gateway.schemas import ReassessmentOrder, Version, VersionAnswer, VersionList
from gateway.sessions import ResultVersion
from gateway.status import iso_time

router = APIRouter(tags=["Sessions"])

MAX_ORDER_BYTES = 4096
"""It names a rubric."""


@router.post(
    "/sessions/{session_id}/reassess",
    openapi_extra=ORDER_BODY,
    responses=error_answers(
        *OF_A_SESSION,
        "RUBRIC_UNKNOWN",
        "SESSION_NOT_FINISHED",
        "SESSIONS_FULL",
        "REQUEST_INVALID",
        "UPLOAD_STALLED",
        "UPLOAD_TOO_LARGE",
        "UPLOAD_TOO_SLOW",
    ),
)
async def reassess(
    request: Request, session_id: SessionId, gateway: GatewayDep, _: Reviewing
) -> VersionAnswer:
    """Judge a completed session by another rubric. This makes a new version of its result."""
    body = await read_body(request, MAX_ORDER_BYTES)
    try:
        order = ReassessmentOrder.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**problem, "loc": ("body", *problem["loc"])} for problem in problems]
        ) from None
    version, existing = await gateway.orchestrator.reassess_session(session_id, order.rubric_id)
    return VersionAnswer(session_id=session_id, existing=existing, **_described(session_id, version))


@router.get("/sessions/{session_id}/versions", responses=error_answers(*OF_A_SESSION, "REQUEST_INVALID"))
async def versions(session_id: SessionId, gateway: GatewayDep, _: Reading) -> VersionList:
    """List the versions of a session's result, the first one first."""
    found = await gateway.orchestrator.list_result_versions(session_id)
    described = [Version(**_described(session_id, version)) for version in found]
    return VersionList(session_id=session_id, versions=described)


def _described(session_id: str, version: ResultVersion) -> dict[str, Any]:
    fields = asdict(version)
    return {
        "version": fields.pop("version_id"),
        "results_url": f"/results/{session_id}?version={version.version_id}",
        **fields,
        "state": version.state.value,
        "create_time": iso_time(version.create_time_s),
        "end_time": iso_time(version.end_time_s),
    }
