"""`GET /usage`: what was accepted from which key, by day."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from gateway.dependencies import Administering, GatewayDep
from gateway.reasons import error_answers
from gateway.schemas import DayOfKey, UsageList

router = APIRouter(tags=["Service"])

MAX_DAY_COUNT = 400
DEFAULT_DAY_COUNT = 30


@router.get("/usage", responses=error_answers("STORE_UNAVAILABLE", "OBJECT_NOT_FOUND", "REQUEST_INVALID"))
async def usage(
    gateway: GatewayDep,
    _: Administering,
    days: Annotated[int, Query(ge=1, le=MAX_DAY_COUNT, description="How many, today included.")] = (
        DEFAULT_DAY_COUNT
    ),
) -> UsageList:
    """List what was accepted from which key, by day: bytes, uploads and sessions."""
    found = await gateway.usage.by_day(days)
    return UsageList(
        days=[DayOfKey(day=day.isoformat(), key=name, **asdict(used)) for day, name, used in found]
    )
