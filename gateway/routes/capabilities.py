"""What an upload may ask for: languages and rubrics, as the stages say it."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from chassis.errors import UnavailableError
from gateway.capabilities import ASK_AGAIN_S
from gateway.dependencies import GatewayDep, Reading
from gateway.reasons import error_answers

router = APIRouter(tags=["Upload"])


class RubricList(BaseModel):
    """The rubrics that answers can be judged by."""

    success: Literal[True] = True
    rubrics: list[str]


class LanguageList(BaseModel):
    """The languages that an upload may name, next to `auto` (BCP-47)."""

    success: Literal[True] = True
    languages: list[str]


@router.get("/rubrics", responses=error_answers("RUBRICS_NOT_KNOWN"))
async def rubrics(gateway: GatewayDep, _: Reading) -> RubricList:
    """List the rubrics that answers can be judged by."""
    known = (await gateway.capabilities.current()).rubric_ids
    if not known:
        raise UnavailableError(
            "The assessor can't be asked for its rubrics right now. Try again in some seconds.",
            reason="RUBRICS_NOT_KNOWN",
            retry_after_s=ASK_AGAIN_S,
        )
    return RubricList(rubrics=list(known))


@router.get("/languages", responses=error_answers())
async def languages(gateway: GatewayDep, _: Reading) -> LanguageList:
    """List the languages that an upload may name: those that the loaded model understands."""
    return LanguageList(languages=list((await gateway.capabilities.current()).language_codes))
