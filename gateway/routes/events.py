"""`GET /sessions/{session_id}/events`: a session's states as server-sent events, resumable.

Each event is a state as `GET /status/{session_id}` has it. Its id resumes the stream after it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from chassis.errors import InterviewError
from gateway.callers import Client
from gateway.dependencies import Gateway, GatewayDep, Reading, SessionId
from gateway.errors import error_body
from gateway.reasons import OF_A_SESSION, error_answers
from gateway.schemas import STATUS_EXAMPLE
from gateway.sessions import FINAL_STATES, SessionView
from gateway.status import describe

router = APIRouter(tags=["Sessions"])

PING_S = 15
"""Below the idle timeouts of usual proxies (nginx: 60 s)."""
RECONNECT_MS = 2_000
MAX_EVENT_ID = 2**63 - 1
"""What the contract's number holds."""
LINE_ENDS = str.maketrans({"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})
"""Ends of a line for some readers of streams (Python's `splitlines`), though not for the protocol. JSON
may hold them as they are. Escaped they say the same and cut no event in two."""


_EVENT_EXAMPLE = f"id: 17\nevent: session\nretry: {RECONNECT_MS}\ndata: {json.dumps(STATUS_EXAMPLE)}\n\n"
EVENT_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events until the session ends. `session` has a state as `GET"
        " /status/{session_id}` has it and a number that resumes the stream after it. `problem` has an error;"
        " come back after it. `WS /ws/{session_id}` sends the same.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": _EVENT_EXAMPLE,
                # What `data` holds, by the event's name. OpenAPI 3.1 has no word for the items of a stream.
                "x-event-data": {
                    "session": {"$ref": "#/components/schemas/StatusAnswer"},
                    "problem": {"$ref": "#/components/schemas/ErrorAnswer"},
                },
            }
        },
    },
    204: {"description": "The session has ended, and its last event was seen. Don't come back."},
}


@router.get(
    "/sessions/{session_id}/events",
    response_model=None,
    response_class=Response,
    responses=EVENT_ANSWERS
    | error_answers(*OF_A_SESSION, "STREAMS_FULL", "STREAMS_OF_CLIENT_FULL", "REQUEST_INVALID"),
)
async def events(
    session_id: SessionId,
    gateway: GatewayDep,
    client: Reading,
    last_event_id: Annotated[int | None, Header(ge=0, le=MAX_EVENT_ID)] = None,
    after: Annotated[
        int | None, Query(ge=0, le=MAX_EVENT_ID, description="As the header Last-Event-ID, which wins.")
    ] = None,
) -> Response:
    """Follow a session until it ends."""
    session = await gateway.orchestrator.get_session(session_id)
    resume_after = last_event_id if last_event_id is not None else after
    stream = _as_sent_events(gateway, client, session, resume_after)
    if session.state in FINAL_STATES and resume_after is not None:
        # The end has been seen: "no content" is what stops a browser's EventSource from coming back.
        first = await anext(stream, None)
        if first is None:
            return Response(status_code=204)
        stream = _with_first(first, stream)
    place = ExitStack()
    place.enter_context(gateway.stream_places.taken(client))
    return _EventStream(stream, place)


Events = AsyncIterator[tuple[str, int | None, dict[str, Any]]]


class _EventStream(EventSourceResponse):
    """An event stream that holds a place until it ends, however it does."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], place: ExitStack) -> None:
        super().__init__(events, ping=PING_S, sep="\n")
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._place:
            await super().__call__(scope, receive, send)


async def session_events(
    gateway: Gateway, client: Client, session: SessionView, resume_after: int | None
) -> Events:
    """Yield a session's events until it ends: their kind, their number, and the state or the error."""
    try:
        async for event in gateway.orchestrator.watch_session(session.session_id, resume_after):
            gateway.keys.check_still_in(client)
            yield "session", event.event_id, describe(event.session)
    except InterviewError as error:
        # The answer's status is long sent; the client reconnects after the last id by itself.
        yield "problem", None, error_body(error.reason, error.message)


async def _as_sent_events(
    gateway: Gateway, client: Client, session: SessionView, resume_after: int | None
) -> AsyncIterator[ServerSentEvent]:
    async for kind, number, data in session_events(gateway, client, session, resume_after):
        # ASCII alone: some clients take U+2028, U+2029 or U+0085 in a name for the end of a line.
        text = json.dumps(data)
        event_id = None if number is None else str(number)
        yield ServerSentEvent(text, event=kind, id=event_id, retry=RECONNECT_MS, sep="\n")


async def _with_first(
    first: ServerSentEvent, rest: AsyncIterator[ServerSentEvent]
) -> AsyncIterator[ServerSentEvent]:
    yield first
    async for event in rest:
        yield event
