"""`GET /usage`: what was accepted from which key, by day."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.dependencies import Administering, GatewayDep
from gateway.reasons import error_answers

router = APIRouter(tags=["Service"])

MAX_DAY_COUNT = 400
DEFAULT_DAY_COUNT = 30


class DayOfKey(BaseModel):
    """What was accepted from one key on one day."""

    day: str = Field(description="In UTC, such as 2026-12-01.")
    key: str = Field(description="`key:` and the key's name.")
    upload_count: int = Field(description="Uploads of recordings.")
    session_count: int = Field(description="Sessions, those with links as well.")
    media_bytes: int = Field(description="Bytes of the uploaded recordings.")


class UsageList(BaseModel):
    """What was used, the newest day first."""

    success: Literal[True] = True
    days: list[DayOfKey]


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
