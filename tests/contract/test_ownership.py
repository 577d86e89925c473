"""Whose a session is: to callers of other groups it does not exist, whatever the orchestrator is asked."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.caller_groups import GROUP_KEY, decode_groups, encode_groups
from chassis.errors import InterviewError
from chassis.status import from_rpc_error
from interview.v1 import orchestrator_pb2 as pb
from tests.world import COMPLETED, PATIENCE_S, World, running

pytestmark = pytest.mark.anyio

UNKNOWN = "0" * 32
METHODS = pb.DESCRIPTOR.services_by_name["OrchestratorService"].methods_by_name
OF_A_SESSION: dict[str, Callable[[str], Any]] = {
    "GetSession": lambda session_id: pb.GetSessionRequest(session_id=session_id),
    "WatchSession": lambda session_id: pb.WatchSessionRequest(session_id=session_id),
    "CancelSession": lambda session_id: pb.CancelSessionRequest(session_id=session_id),
    "RetrySession": lambda session_id: pb.RetrySessionRequest(session_id=session_id),
    "ReassessSession": lambda session_id: pb.ReassessSessionRequest(
        session_id=session_id, rubric_id="technical"
    ),
    "SetLegalHold": lambda session_id: pb.SetLegalHoldRequest(session_id=session_id, held=False),
    "ListResultVersions": lambda session_id: pb.ListResultVersionsRequest(session_id=session_id),
    "GetResult": lambda session_id: pb.GetResultRequest(session_id=session_id),
    "DeleteSession": lambda session_id: pb.DeleteSessionRequest(session_id=session_id),
}
"""Every call about one session. The last one deletes it."""
OTHERS = {"UploadRecording", "FollowRecording", "CreateSession", "ListSessions", "GetCapabilities"}
"""Calls that make sessions, list them, or are about none. They have tests of their own below."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def call(world: World, name: str, request: Any, *groups: str) -> Any:
    """Call a method as a caller of these groups, and return the reply or the error."""
    metadata = ((GROUP_KEY, encode_groups(groups)),) if groups else ()
    reply = getattr(world.stub, name)(request, timeout=PATIENCE_S, metadata=metadata)
    try:
        if METHODS[name].server_streaming:
            return [event async for event in reply]
        return await reply
    except grpc.aio.AioRpcError as failure:
        return from_rpc_error(failure)


def said(answer: Any) -> tuple[str, str, str]:
    assert isinstance(answer, InterviewError), answer
    return answer.code, answer.reason, answer.message


async def listed(world: World, *groups: str, owner_group: str = "", page_size: int = 0) -> list[str]:
    found: list[str] = []
    request = pb.ListSessionsRequest(owner_group=owner_group, page_size_count=page_size)
    while True:
        page = await call(world, "ListSessions", request, *groups)
        found += [session.session_id for session in page.sessions]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def test_every_call_of_the_orchestrator_has_a_case_here() -> None:
    assert set(METHODS) == set(OF_A_SESSION) | OTHERS


async def test_another_groups_session_answers_every_call_as_an_unknown_one(world: World) -> None:
    session_id = await world.create(owner_group="hr")
    await world.until(session_id, COMPLETED)

    for name, request in OF_A_SESSION.items():
        for groups in (("sales",), ("",), ("sales", "")):
            foreign = said(await call(world, name, request(session_id), *groups))
            assert foreign == said(await call(world, name, request(UNKNOWN), *groups)), name
            assert foreign[1] == "SESSION_NOT_FOUND"

    assert (await world.get(session_id)).state == COMPLETED  # nothing was done to it
    for name, request in OF_A_SESSION.items():
        answer = await call(world, name, request(session_id), "hr", "sales")
        assert getattr(answer, "reason", "") != "SESSION_NOT_FOUND", name
        if name == "RetrySession":
            await world.until(session_id, COMPLETED)


async def test_a_recording_is_not_followed_in_the_name_of_another_group(world: World) -> None:
    request = pb.FollowRecordingRequest(session_id=UNKNOWN, position=1, owner_group="hr")

    assert said(await call(world, "FollowRecording", request, "sales"))[1] == "GROUP_FORBIDDEN"
    assert (await call(world, "FollowRecording", request, "hr", "sales")).followed


async def test_a_list_shows_the_callers_sessions_alone(world: World) -> None:
    hr, sales, nobodys = [await world.create(owner_group=group) for group in ("hr", "sales", "")]

    assert await listed(world, "hr") == [hr]
    assert await listed(world, "") == [nobodys]
    assert await listed(world, "sales", "") == [nobodys, sales]
    assert await listed(world) == [nobodys, sales, hr]
    assert await listed(world, page_size=1) == [nobodys, sales, hr]
    assert await listed(world, "hr", "", page_size=1) == [nobodys, hr]
    assert await listed(world, owner_group="sales") == [sales]
    assert await listed(world, "hr", owner_group="sales") == []
    assert await listed(world, "nobody") == []


async def test_a_session_is_made_for_the_callers_own_group_only(world: World) -> None:
    mine = world.request(owner_group="hr")
    refused = said(await call(world, "CreateSession", mine, "sales"))
    assert refused[:2] == ("PERMISSION_DENIED", "GROUP_FORBIDDEN")
    assert not (await call(world, "CreateSession", mine, "hr")).existing
    assert (await call(world, "CreateSession", mine, "hr")).existing

    theirs = world.request(session_id=mine.session_id, owner_group="sales")
    assert said(await call(world, "CreateSession", theirs, "sales"))[1] == "SESSION_EXISTS"
    assert await listed(world, "hr") == [mine.session_id]


async def test_a_session_works_on_no_other_sessions_recording(world: World) -> None:
    secret = world.request(owner_group="hr")
    await world.call(world.stub.CreateSession, secret)
    await world.until(secret.session_id, COMPLETED)
    thief = pb.CreateSessionRequest(
        session_id=uuid.uuid4().hex, answers=[pb.AnswerInput(uri=secret.answers[0].uri)]
    )

    assert said(await call(world, "CreateSession", thief))[1] == "MEDIA_URI_FORBIDDEN"
    sideways = secret.answers[0].uri.replace(
        secret.session_id, f"{thief.session_id}/media/../../{secret.session_id}"
    )
    thief.answers[0].uri = sideways
    assert said(await call(world, "CreateSession", thief))[1] == "MEDIA_URI_FORBIDDEN"


def test_groups_travel_whatever_they_are_called() -> None:
    for groups in ({""}, {"hr", ""}, {"a,b", "ü%20", " "}):
        value = encode_groups(groups)
        assert value.isascii()
        assert decode_groups(value) == frozenset(groups)
    assert decode_groups(None) is None
