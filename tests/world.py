"""A running orchestrator over a real socket, on SQLite and fake stages, and what a test does with it."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import jsonschema

from chassis.server import start_server
from chassis.status import from_rpc_error
from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from orchestrator.composition import compose
from orchestrator.servicer import SERVICE_NAME
from orchestrator.stages.catalogue import settings_class
from tests.begun_database import put_begun_database
from tests.fakes.extraction import remembering_extract
from tests.fakes.recording import make_recording
from tests.fakes.stages import FakeStages
from tests.folders import ROOT

PATIENCE_S = 60
"""How long a state is waited for: seconds on a quiet machine, much longer on a busy one."""

SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

COMPLETED = orchestrator_pb2.SESSION_STATE_COMPLETED

FAILED = orchestrator_pb2.SESSION_STATE_FAILED

CANCELLED = orchestrator_pb2.SESSION_STATE_CANCELLED


@dataclass
class World:
    """A running orchestrator and what a test does with it."""

    stub: orchestrator_pb2_grpc.OrchestratorServiceStub
    stages: FakeStages
    folder: Path
    address: str = ""

    def recording(self, session_id: str, place: int, **options: Any) -> str:
        path = self.folder / "store" / "sessions" / session_id / "media" / f"{place}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        return make_recording(path, seconds=1.0, **options).as_uri()

    def request(self, answer_count: int = 1, **changes: Any) -> orchestrator_pb2.CreateSessionRequest:
        session_id = changes.pop("session_id", uuid.uuid4().hex)
        answers = [
            orchestrator_pb2.AnswerInput(
                uri=self.recording(session_id, place), question=f"Q{place}?", file_name=f"a{place}.mp4"
            )
            for place in range(1, answer_count + 1)
        ]
        fields = {"session_id": session_id, "candidate_name": "Ana", "answers": answers} | changes
        return orchestrator_pb2.CreateSessionRequest(**fields)

    async def create(self, answer_count: int = 1, **changes: Any) -> str:
        request = self.request(answer_count, **changes)
        await self.call(self.stub.CreateSession, request)
        return str(request.session_id)

    async def call(self, method: Any, request: Any) -> Any:
        try:
            return await method(request, timeout=PATIENCE_S)
        except grpc.aio.AioRpcError as failure:
            raise from_rpc_error(failure) from None

    async def get(self, session_id: str) -> Any:
        request = orchestrator_pb2.GetSessionRequest(session_id=session_id)
        return (await self.call(self.stub.GetSession, request)).session

    async def until(self, session_id: str, *states: int, timeout_s: float = PATIENCE_S) -> Any:
        deadline_s = time.monotonic() + timeout_s
        while (session := await self.get(session_id)).state not in states:
            assert time.monotonic() < deadline_s, session
            await asyncio.sleep(0.1)
        return session

    async def until_running(self, session_id: str, stage: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.stages.calls[stage]:
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.02)

    async def result(self, session_id: str) -> Any:
        request = orchestrator_pb2.GetResultRequest(session_id=session_id)
        reply = await self.call(self.stub.GetResult, request)
        document = json.loads(reply.document)
        VALIDATOR.validate(document)
        return document

    async def do(self, name: str, session_id: str) -> Any:
        request = getattr(orchestrator_pb2, f"{name}Request")(session_id=session_id)
        return await self.call(getattr(self.stub, name), request)

    async def events(self, session_id: str, after: int | None = None) -> list[Any]:
        request = orchestrator_pb2.WatchSessionRequest(session_id=session_id, after_event_id=after)
        return [event async for event in self.stub.WatchSession(request, timeout=PATIENCE_S)]


def settings_of(folder: Path, **changes: Any) -> Any:
    """Return the settings of an orchestrator that keeps all in a folder and waits for nothing long."""
    fields: dict[str, Any] = {
        "port": 0,
        "store_url": (folder / "store").as_uri(),
        "database_url": f"sqlite:///{folder / 'state.sqlite'}",
        "queue_poll_s": 0.05,
        "stage_first_delay_s": 0.01,
        "stage_max_delay_s": 0.02,
        "stage_attempt_count": 3,
        "session_count": 4,
    }
    return settings_class()(**(fields | changes))


@asynccontextmanager
async def running(folder: Path, *, real: Collection[str] = (), **changes: Any) -> AsyncIterator[World]:
    """Run an orchestrator. Its stages are fakes but for the `real` ones; a change tells their address.

    What is extracted is what the real decoder gave, which decodes the same bytes once.
    """
    settings = settings_of(folder, **changes)
    if "database_url" not in changes:
        put_begun_database(folder / "state.sqlite")
    stages = FakeStages()
    fakes = stages.services() | {"extract": remembering_extract(settings)}
    services = {name: service for name, service in fakes.items() if name not in real}
    servicer, engine = compose(settings, services=services)
    engine.start()
    server, _, port = await start_server(settings, SERVICE_NAME, servicer.add_to)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
            yield World(stub, stages, folder, f"127.0.0.1:{port}")
    finally:  # A test that fails leaves no engine to the next one.
        await server.stop(0)
        await asyncio.to_thread(engine.close)
        await _die_with_the_process()


async def _die_with_the_process() -> None:
    """Stop what a process that ends would take along: here it would go on, and write beside its successor."""
    left = [task for task in asyncio.all_tasks() if _is_the_engines(task)]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _is_the_engines(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None:
        return False
    file = Path(code.co_filename)
    return file.parent.name == "dbos" or file.is_relative_to(ROOT / "orchestrator")


async def versions(world: World, session_id: str) -> list[Any]:
    return list((await world.do("ListResultVersions", session_id)).versions)


async def ended(world: World, session_id: str, version_id: int) -> Any:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        version = (await versions(world, session_id))[version_id - 1]
        assert version.version_id == version_id
        if version.state in (COMPLETED, FAILED, CANCELLED):
            return version
        assert time.monotonic() < deadline_s, version
        await asyncio.sleep(0.05)
