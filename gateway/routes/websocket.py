"""`WS /ws/{session_id}`: the same events as `GET /sessions/{session_id}/events`, one JSON text each."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import ExitStack

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from chassis.errors import ExhaustedError, InterviewError
from gateway.dependencies import gateway_of, let_in
from gateway.errors import error_body
from gateway.routes.events import MAX_EVENT_ID, Events, session_events
from gateway.sessions import parse_session_id

router = APIRouter()

POLICY_VIOLATION = 1008
"""Close code of RFC 6455 for a client that may not."""
TRY_AGAIN = 1013
"""Close code for a client that may, but not now."""
NORMAL_CLOSURE = 1000
EVENT_ID = re.compile(r"[0-9]{1,19}")


@router.websocket("/ws/{session_id}")
async def websocket_events(websocket: WebSocket, session_id: str) -> None:
    """Follow a session until it ends. `?after=N` resumes after event N."""
    gateway = gateway_of(websocket)
    await websocket.accept()
    with ExitStack() as place:
        try:
            client = await let_in(websocket, "read")
            session = await gateway.orchestrator.get_session(parse_session_id(session_id))
            place.enter_context(gateway.stream_places.taken(client))
        except InterviewError as error:
            await websocket.send_json(error_body(error.reason, error.message))
            await websocket.close(TRY_AGAIN if isinstance(error, ExhaustedError) else POLICY_VIOLATION)
            return
        after = websocket.query_params.get("after", "")
        resume_after = min(int(after), MAX_EVENT_ID) if EVENT_ID.fullmatch(after) else None
        await _follow(websocket, session_events(gateway, client, session, resume_after))


async def _follow(websocket: WebSocket, events: Events) -> None:
    sending = asyncio.create_task(_send(websocket, events))
    leaving = asyncio.create_task(_left(websocket))
    # Whichever comes first: a client that has gone must not keep the orchestrator's stream open.
    _, rest = await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)  # none where both have ended at once


async def _send(websocket: WebSocket, events: Events) -> None:
    try:
        async for kind, number, data in events:
            await websocket.send_text(
                json.dumps({"event": kind, "id": number, "data": data}, ensure_ascii=False)
            )
        await websocket.close(NORMAL_CLOSURE)
    except (WebSocketDisconnect, RuntimeError):
        return  # it left while we were sending


async def _left(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
