"""Choosing what answers are judged by, for the session or for each answer: over a socket, on fake stages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InterviewError, InvalidInputError, UnavailableError
from interview.v1 import orchestrator_pb2
from tests.world import COMPLETED, VALIDATOR, World, ended, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def document_of(world: World, session_id: str) -> Any:
    reply = await world.call(world.stub.GetResult, orchestrator_pb2.GetResultRequest(session_id=session_id))
    document = json.loads(reply.document)
    VALIDATOR.validate(document)
    return document


def request_of(world: World, *rubric_ids: str, **changes: Any) -> orchestrator_pb2.CreateSessionRequest:
    request = world.request(len(rubric_ids), **changes)
    for answer, rubric_id in zip(request.answers, rubric_ids, strict=True):
        answer.rubric_id = rubric_id
    return request


async def finished(world: World, request: orchestrator_pb2.CreateSessionRequest) -> Any:
    await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    return await document_of(world, request.session_id)


async def test_each_answer_is_judged_by_its_own_rubric_and_says_so(world: World) -> None:
    document = await finished(world, request_of(world, "technical", "", rubric_id="behavioural"))
    asked = {request.question: request.rubric_id for request in world.stages.requests["assess"]}

    assert asked == {"Q1?": "technical", "Q2?": "behavioural"}
    rubrics = [entry["assessment"]["rubric"]["id"] for entry in document["results"]]
    assert rubrics == ["technical", "behavioural"]
    assert document["provenance"]["rubric_id"] is None  # no single one judged the session


async def test_without_a_choice_the_default_judges(world: World) -> None:
    document = await finished(world, request_of(world, ""))

    assert world.stages.requests["assess"][0].rubric_id == ""
    assert document["provenance"]["rubric_id"] == "general"


async def test_other_rubrics_are_another_configuration(world: World) -> None:
    hashes = [
        (await finished(world, request_of(world, *rubric_ids)))["provenance"]["config_sha256"]
        for rubric_ids in (("", ""), ("technical", ""), ("", "technical"))
    ]

    assert len(set(hashes)) == 3


async def test_the_same_rubrics_are_one_configuration_however_they_were_asked_for(world: World) -> None:
    requests = (
        request_of(world, "technical", "technical"),
        request_of(world, "", "technical", rubric_id="technical"),
        request_of(world, "", "", rubric_id="technical"),
    )
    hashes = {(await finished(world, request))["provenance"]["config_sha256"] for request in requests}

    assert len(hashes) == 1


@pytest.mark.parametrize("field", ["session", "answer"])
async def test_an_unknown_rubric_is_refused_at_the_door(world: World, field: str) -> None:
    request = (
        request_of(world, "", rubric_id="astrology") if field == "session" else request_of(world, "astrology")
    )
    with pytest.raises(InvalidInputError) as refused:
        await world.call(world.stub.CreateSession, request)

    assert refused.value.reason == "RUBRIC_UNKNOWN"
    with pytest.raises(InterviewError):
        await world.get(request.session_id)


async def test_what_is_no_rubric_id_is_refused_by_its_place(world: World) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await world.call(world.stub.CreateSession, request_of(world, "", "../../etc"))

    assert (refused.value.reason, list(refused.value.fields)) == ("SESSION_INVALID", ["answers[1].rubric_id"])


async def test_a_session_is_accepted_while_the_assessor_is_away(world: World) -> None:
    world.stages.failures["rubrics"] = [UnavailableError("It is away.", reason="UNAVAILABLE")]
    document = await finished(world, request_of(world, "technical"))

    assert document["results"][0]["assessment"]["rubric"]["id"] == "technical"


async def test_judging_anew_by_one_rubric_replaces_the_choice_for_every_answer(world: World) -> None:
    request = request_of(world, "technical", "", rubric_id="behavioural")
    await finished(world, request)
    order = orchestrator_pb2.ReassessSessionRequest(session_id=request.session_id, rubric_id="behavioural")
    reply = await world.call(world.stub.ReassessSession, order)

    assert not reply.existing
    await ended(world, request.session_id, 2)
    document = await document_of(world, request.session_id)
    assert document["provenance"]["rubric_id"] == "behavioural"
    assert {entry["assessment"]["rubric"]["id"] for entry in document["results"]} == {"behavioural"}
