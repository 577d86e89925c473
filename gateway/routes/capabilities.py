"""What an upload may ask for: languages and rubrics, as the stages say it."""

from __future__ import annotations

from fastapi import APIRouter

from chassis.errors import UnavailableError
from gateway.capabilities import ASK_AGAIN_S
from gateway.dependencies import GatewayDep, Reading
from gateway.reasons import error_answers
from gateway.schemas import LanguageList, RubricList

router = APIRouter(tags=["Upload"])


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
