"""`WS /ws/{session_id}`: the same events as `GET /sessions/{session_id}/events`, one JSON text each."""

from __future__ import annotations

import asyncio
import json
import re

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from chassis.errors import InterviewError
from gateway.dependencies import Gateway, gateway_of, let_in
from gateway.errors import error_body
from gateway.routes.events import MAX_EVENT_ID, session_events
from gateway.sessions import SessionView, parse_session_id

router = APIRouter()

POLICY_VIOLATION = 1008
"""Close code of RFC 6455 for a client that may not."""
NORMAL_CLOSURE = 1000
EVENT_ID = re.compile(r"[0-9]{1,19}")


@router.websocket("/ws/{session_id}")
async def websocket_events(websocket: WebSocket, session_id: str) -> None:
    """Follow a session until it ends. `?after=N` resumes after event N."""
    gateway = gateway_of(websocket)
    await websocket.accept()
    try:
        await let_in(websocket, "read")
        session = await gateway.orchestrator.get_session(parse_session_id(session_id))
    except InterviewError as error:
        await websocket.send_json(error_body(error.reason, error.message))
        await websocket.close(POLICY_VIOLATION)
        return
    after = websocket.query_params.get("after", "")
    sending = asyncio.create_task(
        _send(
            websocket, gateway, session, min(int(after), MAX_EVENT_ID) if EVENT_ID.fullmatch(after) else None
        )
    )
    leaving = asyncio.create_task(_left(websocket))
    # Whichever comes first: a client that has gone must not keep the orchestrator's stream open.
    _, rest = await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)  # none where both have ended at once


async def _send(websocket: WebSocket, gateway: Gateway, session: SessionView, after: int | None) -> None:
    try:
        async for kind, number, data in session_events(gateway, session, after):
            await websocket.send_text(
                json.dumps({"event": kind, "id": number, "data": data}, ensure_ascii=False)
            )
        await websocket.close(NORMAL_CLOSURE)
    except (WebSocketDisconnect, RuntimeError):
        return  # it left while we were sending


async def _left(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
