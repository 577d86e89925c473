"""What the orchestrator writes down: every change and every reading of a result, by whom."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.acting import CALLER_KEY, encode_caller
from chassis.audit_chain import Head, Verification, as_line, hash_of_session
from chassis.caller_groups import GROUP_KEY, encode_groups
from chassis.errors import InterviewError
from chassis.identity import CALL_TOKEN_KEY
from chassis.status import from_rpc_error
from interview.v1 import audit_pb2, audit_pb2_grpc, orchestrator_pb2
from tests.world import COMPLETED, PATIENCE_S, World, ended, running

pytestmark = pytest.mark.anyio

ANA = ((CALLER_KEY, encode_caller("key:ana", "hr, ü")),)
METHODS = audit_pb2.DESCRIPTOR.services_by_name["AuditService"].methods_by_name
OF_THE_LOG: dict[str, Any] = {
    "ReadAudit": audit_pb2.ReadAuditRequest(),
    "NoteAudit": audit_pb2.NoteAuditRequest(),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def ask(world: World, name: str, request: Any, metadata: Any = ()) -> Any:
    """Return the reply, or the error."""
    async with grpc.aio.insecure_channel(world.address) as channel:
        try:
            stub: Any = audit_pb2_grpc.AuditServiceStub(channel)
            return await getattr(stub, name)(request, timeout=PATIENCE_S, metadata=metadata)
        except grpc.aio.AioRpcError as failure:
            return from_rpc_error(failure)


async def records(world: World, session_id: str = "") -> list[dict[str, Any]]:
    """Return the whole log, verified, or what it says of a session."""
    reply = await ask(world, "ReadAudit", audit_pb2.ReadAuditRequest(limit_count=1000))
    verification = Verification(Head(reply.head_seq, reply.head_hash))
    for entry in reply.entries:
        verification.add_line(as_line(entry.record, entry.hash))
    assert verification.finish() == []
    found = [json.loads(entry.record) for entry in reply.entries]
    return [one for one in found if not session_id or one["session"] == hash_of_session(session_id)]


async def come(world: World, wanted: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Wait until the log says something."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not wanted(found := await records(world)):
        assert time.monotonic() < deadline_s, found
        await asyncio.sleep(0.1)


async def told(world: World, session_id: str) -> list[tuple[str, str]]:
    return [(one["action"], one["outcome"]) for one in await records(world, session_id)]


async def as_ana(world: World, name: str, **fields: Any) -> Any:
    request = getattr(orchestrator_pb2, f"{name}Request")(**fields)
    try:
        return await getattr(world.stub, name)(request, timeout=PATIENCE_S, metadata=ANA)
    except grpc.aio.AioRpcError as failure:
        return from_rpc_error(failure)


async def test_a_session_s_whole_life_is_in_the_log_and_stays_when_it_is_deleted(world: World) -> None:
    request = world.request(candidate_name="Xanthippe")
    session_id = request.session_id
    await world.stub.CreateSession(request, timeout=PATIENCE_S, metadata=ANA)
    await world.stub.CreateSession(request, timeout=PATIENCE_S, metadata=ANA)
    await world.until(session_id, COMPLETED)
    await as_ana(world, "RetrySession", session_id=session_id)
    await world.until(session_id, COMPLETED)
    await as_ana(world, "CancelSession", session_id=session_id)
    await as_ana(world, "ReassessSession", session_id=session_id, rubric_id="technical")
    await ended(world, session_id, 2)
    await as_ana(world, "SetLegalHold", session_id=session_id, held=True)
    assert (await as_ana(world, "DeleteSession", session_id=session_id)).reason == "SESSION_HELD"
    await as_ana(world, "SetLegalHold", session_id=session_id, held=False)
    await as_ana(world, "GetResult", session_id=session_id)
    await as_ana(world, "DeleteSession", session_id=session_id)
    (mark,) = (world.folder / "store" / "deleted").iterdir()

    await come(world, lambda found: "result.read" in {one["action"] for one in found})
    found = await records(world, session_id)
    both = {"begun", "ok"}
    outcomes: dict[str, set[str]] = {}
    for one in found:
        outcomes.setdefault(one["action"], set()).add(one["outcome"])
    assert outcomes == {
        "session.accept": both, "session.retry": both, "session.reassess": both, "session.hold": both,
        "session.release": both, "session.delete": {*both, "SESSION_HELD"}, "result.read": {"ok"},
    }  # fmt: skip
    assert len([one for one in found if one["action"] == "session.accept"]) == 2, "a repeat changes nothing"
    assert {(one["who"], one["group"], one["via"]) for one in found} == {("key:ana", "hr, ü", "")}
    (deleted,) = [one for one in found if (one["action"], one["outcome"]) == ("session.delete", "ok")]
    assert deleted["details"]["receipt_digest"] == hashlib.sha256(mark.read_bytes()).hexdigest()
    whole = json.dumps(await records(world))
    assert session_id not in whole and "Xanthippe" not in whole


async def test_a_cancelled_session_is_written_down(world: World) -> None:
    world.stages.instead["transcribe"] = lambda *_: asyncio.sleep(60)
    session_id = await world.create()
    await world.until_running(session_id, "vision")
    await as_ana(world, "CancelSession", session_id=session_id)

    assert (await told(world, session_id))[-2:] == [("session.cancel", "begun"), ("session.cancel", "ok")]
    await world.do("DeleteSession", session_id)  # Which waits for its stages.


async def test_a_refused_change_says_why(world: World) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)
    refused = await as_ana(world, "ReassessSession", session_id=session_id, rubric_id="none")
    unknown = await as_ana(world, "DeleteSession", session_id="0" * 32)

    # Nothing was about to be changed, so there is nothing to write down.
    assert (refused.reason, unknown.reason) == ("RUBRIC_UNKNOWN", "SESSION_NOT_FOUND")
    assert {action for action, _ in await told(world, session_id)} == {"session.accept"}


async def test_what_expires_is_written_down_as_the_sweep_s(tmp_path: Path) -> None:
    second_days = 1 / 86_400
    async with running(tmp_path, sweep_interval_s=0.2, result_retention_days=second_days) as world:
        session_id = await world.create()
        await come(
            world,
            lambda found: ("session.delete", "ok") in {(one["action"], one["outcome"]) for one in found},
        )

        found = await records(world, session_id)
    assert [(one["who"], one["outcome"]) for one in found if one["action"] == "session.delete"] == [
        ("system:sweep", "begun"),
        ("system:sweep", "ok"),
    ]


async def test_the_log_is_pruned_by_its_own_period_and_a_restart_goes_on_with_the_chain(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as world:
        await world.until(await world.create(), COMPLETED)
        before = await records(world)
    async with running(tmp_path, sweep_interval_s=0.2, audit_retention_days=1e-9) as world:
        await come(world, lambda found: found[0]["seq"] > before[-1]["seq"])
    async with running(tmp_path) as world:
        session_id = await world.create()
        await come(world, lambda found: hash_of_session(session_id) in {one["session"] for one in found})
        await world.until(session_id, COMPLETED)


async def test_whoever_may_see_some_sessions_only_is_refused_the_log(world: World) -> None:
    assert set(METHODS) == set(OF_THE_LOG)
    for name, request in OF_THE_LOG.items():
        for groups in (("hr",), ("",), ("hr", "")):
            refused = await ask(world, name, request, ((GROUP_KEY, encode_groups(groups)),))
            assert isinstance(refused, InterviewError) and refused.reason == "AUDIT_FORBIDDEN", name
        assert not isinstance(await ask(world, name, request), InterviewError)


async def test_pages_follow_one_another_and_wrong_ones_are_refused(world: World) -> None:
    for _ in range(3):
        await world.until(await world.create(), COMPLETED)
    found: list[int] = []
    while entries := (
        await ask(world, "ReadAudit", audit_pb2.ReadAuditRequest(after_seq=len(found), limit_count=4))
    ).entries:
        found += [entry.seq for entry in entries]
    assert found == [1, 2, 3, 4, 5, 6]

    for after_seq, limit_count in ((-1, 1), (0, -1), (0, 1001)):
        request = audit_pb2.ReadAuditRequest(after_seq=after_seq, limit_count=limit_count)
        assert (await ask(world, "ReadAudit", request)).reason == "PAGE_INVALID"


async def test_a_caller_brings_what_it_has_seen_and_nothing_else(world: World) -> None:
    note = audit_pb2.AuditNote(
        action="media.read", session_id="a" * 32, who="key:ana", group="hr", outcome="ok", occurrence_count=7,
        details={"position": "1", "digest": "0ab"},
    )  # fmt: skip
    assert not isinstance(await ask(world, "NoteAudit", audit_pb2.NoteAuditRequest(notes=[note])), Exception)
    (record,) = await records(world)
    assert (record["count"], record["details"], record["who"]) == (
        7,
        {"position": 1, "digest": "0ab"},
        "key:ana",
    )

    wrong: list[dict[str, Any]] = [
        {"action": "session.delete"}, {"action": ""}, {"outcome": "it went well"}, {"who": "w" * 121},
        {"group": "g" * 101}, {"details": {"name": "x" * 2001}}, {"details": {str(n): "" for n in range(17)}},
    ]  # fmt: skip
    for change in wrong:
        fields = {"action": "media.read", "outcome": "ok"} | change
        request = audit_pb2.NoteAuditRequest(notes=[note, audit_pb2.AuditNote(**fields)])
        assert (await ask(world, "NoteAudit", request)).reason == "AUDIT_NOTE_INVALID", change
    odd = audit_pb2.NoteAuditRequest(
        notes=[audit_pb2.AuditNote(action="media.read", outcome="ok", session_id="x")]
    )
    assert (await ask(world, "NoteAudit", odd)).reason == "SESSION_ID_INVALID"
    assert len(await records(world)) == 1, "all of a call's notes or none"


async def test_the_process_that_calls_for_somebody_is_named(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"token").hexdigest()
    async with running(tmp_path, caller_token_digests={"monitor": digest}) as world:
        request = world.request()
        token = ((CALL_TOKEN_KEY, "token"),)
        await world.stub.CreateSession(request, timeout=PATIENCE_S, metadata=(*ANA, *token))
        other = world.request()
        await world.stub.CreateSession(other, timeout=PATIENCE_S, metadata=token)
        nobody = await world.create()
        for session_id in (request.session_id, other.session_id, nobody):
            await world.until(session_id, COMPLETED)

        whos = [
            {(one["who"], one["via"]) for one in await records(world, session_id)}
            for session_id in (request.session_id, other.session_id, nobody)
        ]
    assert whos == [{("key:ana", "monitor")}, {("caller:monitor", "monitor")}, {("unknown", "")}]
