"""`GET /audit`: the audit log, for administrators. It is one chain, so it is shown whole or not at all."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gateway.audit_schemas import AUDIT_EXAMPLE, AuditHead
from gateway.dependencies import Administering, GatewayDep
from gateway.reasons import ASKING, error_answers

router = APIRouter(tags=["Service"])

MEDIA_TYPE = "application/jsonl"
MAX_SEQ = 2**63 - 1
MAX_LIMIT = 1_000
DEFAULT_LIMIT = 200
LAST_SEQ_HEADER = "X-Last-Seq"
NO_STORE = {"Cache-Control": "no-store"}


AUDIT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Records in the order of their numbers, one a line. Nothing behind the newest. A page"
        " of large records has fewer than `limit`. Only an empty one is the end.",
        "headers": {
            LAST_SEQ_HEADER: {
                "description": "Number of the last record of this page: `after` of the next one. Absent on an"
                " empty page.",
                "schema": {"type": "string"},
            }
        },
        "content": {
            MEDIA_TYPE: {
                "schema": {"type": "string"},
                "example": json.dumps(AUDIT_EXAMPLE.model_dump()) + "\n",
                # What a line holds. OpenAPI 3.1 has no word for it.
                "x-line": {"$ref": "#/components/schemas/AuditRecord"},
            }
        },
    }
}


@router.get(
    "/audit",
    response_model=None,
    response_class=Response,
    responses=AUDIT_ANSWERS | error_answers("PAGE_INVALID", "REQUEST_INVALID", *ASKING),
)
async def audit(
    gateway: GatewayDep,
    _: Administering,
    after: Annotated[int, Query(ge=0, le=MAX_SEQ, description="Only records with a higher number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> Response:
    """Return a page of the audit log as JSON lines."""
    page = await gateway.orchestrator.audit.read(after, limit)
    headers = NO_STORE if page.last_seq is None else NO_STORE | {LAST_SEQ_HEADER: str(page.last_seq)}
    return Response("".join(f"{line}\n" for line in page.lines), headers=headers, media_type=MEDIA_TYPE)


@router.get("/audit/head", responses=error_answers(*ASKING))
async def audit_head(gateway: GatewayDep, _: Administering, response: Response) -> AuditHead:
    """Return the number and the hash of the newest record."""
    response.headers.update(NO_STORE)
    page = await gateway.orchestrator.audit.read(MAX_SEQ, 1)
    return AuditHead(seq=page.head_seq, hash=page.head_hash)
