"""Gateway and orchestrator together: no route shows or touches another group's session."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute

from chassis.audit_chain import hash_of_session
from chassis.store import MediaStore
from gateway.app import ROUTERS, create_app
from gateway.auth import HEADER
from gateway.orchestrator_client import OrchestratorClient
from gateway.settings import ApiKey, GatewaySettings
from tests.asgi_socket import messages_of
from tests.fakes.recording import make_recording
from tests.gateway_bench import form, videos
from tests.people_of_groups import PEOPLE, PEOPLE_SIGN_IN, cookie_of
from tests.world import COMPLETED, PATIENCE_S, World, running

pytestmark = pytest.mark.anyio

UNKNOWN = "0" * 32
EVERYTHING = ("submit", "read", "manage")
OF_A_SESSION: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/status/{session_id}"): {},
    ("GET", "/results/{session_id}"): {},
    ("GET", "/results/{session_id}.json"): {},
    ("GET", "/sessions/{session_id}/versions"): {},
    ("GET", "/sessions/{session_id}/events"): {},
    ("WS", "/ws/{session_id}"): {},
    ("GET", "/media/{session_id}/{position}"): {},
    ("HEAD", "/media/{session_id}/{position}"): {},
    ("POST", "/sessions/{session_id}/reassess"): {"json": {"rubric_id": "technical"}},
    ("POST", "/sessions/{session_id}/cancel"): {},
    ("POST", "/sessions/{session_id}/hold"): {},
    ("POST", "/sessions/{session_id}/release"): {},
    ("POST", "/sessions/{session_id}/retry"): {},
    ("DELETE", "/sessions/{session_id}"): {},
}
"""Every route of one session, and what it is sent. The last one deletes the session."""
OTHERS = {
    ("POST", "/upload"),
    ("POST", "/upload_json"),
    ("GET", "/sessions"),
    ("GET", "/rubrics"),
    ("GET", "/languages"),
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/client-settings"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/signin"),
    ("GET", "/signin/callback"),
    ("POST", "/signout"),
    ("GET", "/whoami"),
    ("GET", "/original/{path:path}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/schemas/result.json"),
    ("GET", "/metrics"),
    ("GET", "/usage"),
    ("GET", "/audit"),
    ("GET", "/audit/head"),
}
"""Routes that are about no session. A new one belongs here only if it shows and takes nothing of any."""


def api_key(name: str, group: str = "", scopes: tuple[str, ...] = EVERYTHING) -> ApiKey:
    """Return a key whose text is its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ApiKey(name=name, sha256=digest, group=group, scopes=scopes)


KEYS = (
    api_key("ana", "hr"),
    api_key("ben", "hr"),
    api_key("eve"),
    api_key("heir", "old"),
    api_key("root", "ops", ("admin",)),
)


@dataclass
class Houses:
    """One orchestrator behind a gateway with keys and a gateway without."""

    world: World
    with_keys: FastAPI
    open_to_all: FastAPI
    cookies: dict[str, dict[str, str]]
    """Of people who signed in, by their names."""

    async def ask(self, key: str, method: str, path: str, **values: Any) -> Any:
        """Return status and body, or what a WebSocket is sent. The key "" asks the gateway without keys."""
        app = self.with_keys if key else self.open_to_all
        headers = self.cookies.get(key) or ({HEADER: key} if key else {})
        headers = headers | values.pop("headers", {})
        if method == "WS":
            return await messages_of(app, path, headers | {"Host": "127.0.0.1:7860"})
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:7860", timeout=PATIENCE_S
        ) as http:
            reply = await http.request(method, path, headers=headers, **values)
        return reply.status_code, reply.headers.get("Content-Type"), reply.content

    async def upload(self, key: str) -> str:
        recording = make_recording(self.world.folder / f"{key or 'nobody'}.mp4", seconds=1.0)
        sent = {"files": videos(recording.read_bytes()), "data": form("Why?")}
        status, _, body = await self.ask(key, "POST", "/upload", **sent)
        assert status == 200, body
        session_id: str = json.loads(body)["session_id"]
        await self.world.until(session_id, COMPLETED)
        return session_id

    async def sees(self, key: str, session_id: str) -> bool:
        (status, _, _), listed = (
            await self.ask(key, "GET", f"/status/{session_id}"),
            await self.ask(key, "GET", "/sessions"),
        )
        assert (status == 200) is (session_id.encode() in listed[2])
        return bool(status == 200)


@pytest.fixture
async def houses(tmp_path: Path) -> AsyncIterator[Houses]:
    async with running(tmp_path) as world:
        store = MediaStore((tmp_path / "store").as_uri())
        client = OrchestratorClient(world.address, PATIENCE_S)
        shared: dict[str, Any] = {"rate_limit_uploads": "", "heir_group": "old"}
        with_keys = create_app(GatewaySettings(api_keys=KEYS, **PEOPLE_SIGN_IN, **shared), client, store)
        cookies = {name: cookie_of(with_keys, name, *groups) for name, groups in PEOPLE.items()}
        yield Houses(world, with_keys, create_app(GatewaySettings(**shared), client, store), cookies)
        await client.aclose()


def test_every_route_of_the_gateway_has_a_case_here() -> None:
    found = set()
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute):
                found |= {(method, route.path) for method in route.methods or ()}
            else:
                assert isinstance(route, APIWebSocketRoute)
                found.add(("WS", route.path))

    assert found == set(OF_A_SESSION) | OTHERS
    assert {path for _, path in OF_A_SESSION} == {path for _, path in found if "session_id" in path}


async def test_no_route_tells_another_groups_session_from_one_that_does_not_exist(houses: Houses) -> None:
    session_id = await houses.upload("ana")

    for (method, path), sent in OF_A_SESSION.items():
        there, nowhere = (
            path.format(session_id=session_id, position=1),
            path.format(session_id=UNKNOWN, position=1),
        )
        for stranger in ("eve", "heir", "person of sales", ""):
            foreign = await houses.ask(stranger, method, there, **sent)
            unknown = await houses.ask(stranger, method, nowhere, **sent)
            as_unknown = json.dumps(foreign, default=str).replace(session_id, UNKNOWN)
            assert as_unknown == json.dumps(unknown, default=str), (method, path)
            assert foreign[0] == 404 or foreign[0]["code"] == "SESSION_NOT_FOUND"

    assert (await houses.world.get(session_id)).state == COMPLETED  # nothing was done to it


async def test_every_route_serves_the_group_that_the_session_belongs_to_and_admins(houses: Houses) -> None:
    session_id = await houses.upload("ana")

    for key in ("ana", "ben", "person of hr", "root", "operator"):
        for (method, path), sent in OF_A_SESSION.items():
            if method == "DELETE" and key != "operator":
                continue
            answer = await houses.ask(key, method, path.format(session_id=session_id, position=1), **sent)
            assert answer[0] == 200 or (method == "WS" and answer[0]["data"]["session_id"] == session_id), (
                path
            )
            if path.endswith(("retry", "reassess")):
                await houses.world.until(session_id, COMPLETED)
                await _judged(houses, session_id)

    assert not await houses.sees("ana", session_id)


async def _judged(houses: Houses, session_id: str) -> None:
    """Wait until no version of the session's result is being made any more."""
    while True:
        _, _, body = await houses.ask("root", "GET", f"/sessions/{session_id}/versions")
        if all(version["state"] == "completed" for version in json.loads(body)["versions"]):
            return
        await asyncio.sleep(0.05)


async def test_who_manages_one_group_and_reads_another_one_manages_nothing_of_the_other(
    houses: Houses,
) -> None:
    session_id = await houses.upload("ana")
    person = "reader of hr, manager of sales"

    read = await houses.ask(person, "GET", f"/status/{session_id}")
    assert read[0] == 200
    for (method, path), sent in OF_A_SESSION.items():
        if method in ("POST", "DELETE"):
            answer = await houses.ask(person, method, path.format(session_id=session_id), **sent)
            assert (answer[0], json.loads(answer[2])["code"]) == (404, "SESSION_NOT_FOUND"), path
    assert session_id.encode() not in (await houses.ask(person, "GET", "/sessions"))[2]
    assert (await houses.world.get(session_id)).state == COMPLETED


async def test_what_a_person_submits_belongs_to_the_group_that_lets_them(houses: Houses) -> None:
    session_id = await houses.upload("reader of hr, manager of sales")

    assert await houses.sees("person of sales", session_id)
    assert not await houses.sees("person of hr", session_id)
    assert not await houses.sees("ana", session_id)


async def test_sessions_made_without_keys_are_seen_by_admins_and_by_the_group_that_inherits_them(
    houses: Houses,
) -> None:
    session_id = await houses.upload("")

    assert [key for key in ("", "ana", "eve", "heir", "root") if await houses.sees(key, session_id)] == [
        "",
        "heir",
        "root",
    ]
    status, _, body = await houses.ask("root", "GET", "/sessions?group=hr")
    assert (status, json.loads(body)["sessions"]) == (200, [])


async def test_a_recording_without_a_session_is_served_to_nobody(houses: Houses) -> None:
    left = houses.world.recording("d" * 32, 1)

    assert left.endswith("/1.mp4")
    for key in ("", "ana", "root"):
        assert (await houses.ask(key, "GET", f"/media/{'d' * 32}/1"))[0] == 404


async def test_the_audit_log_is_shown_to_administrators_alone(houses: Houses) -> None:
    session_id = await houses.upload("ana")

    for path in ("/audit", "/audit/head"):
        for key in ("ana", "eve", "heir"):
            status, _, body = await houses.ask(key, "GET", path)
            assert (status, json.loads(body)["code"]) == (403, "API_KEY_SCOPE_MISSING")
    status, media_type, body = await houses.ask("root", "GET", "/audit?limit=1000")
    records = [json.loads(line) for line in body.splitlines()]

    assert (status, media_type) == (200, "application/jsonl")
    told = [tuple(one[name] for name in ("action", "outcome", "who", "group", "session")) for one in records]
    whose = ("key:ana", "hr", hash_of_session(session_id))
    assert told == [("session.accept", outcome, *whose) for outcome in ("begun", "ok")]
    assert session_id.encode() not in body


async def test_the_same_idempotency_key_of_two_groups_makes_two_sessions(houses: Houses) -> None:
    recording = make_recording(houses.world.folder / "a.mp4", seconds=1.0).read_bytes()
    made: dict[str, set[str]] = {}
    for key in ("ana", "eve", "ana"):
        sent = {"files": videos(recording), "data": form("?"), "headers": {"Idempotency-Key": "1"}}
        _, _, body = await houses.ask(key, "POST", "/upload", **sent)
        made.setdefault(key, set()).add(json.loads(body)["session_id"])

    assert [len(ids) for ids in made.values()] == [1, 1]
    assert not made["ana"] & made["eve"]
