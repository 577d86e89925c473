"""Follows a session to its end: events where they come, polling where they don't."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from httpx_sse import ServerSentEvent

from cli.failures import CommandError, ExitCode
from cli.gateway_client import Json

FINAL_STATES = frozenset({"completed", "failed", "cancelled"})
POLL_S = 2.0
"""Between two questions after the state, where events don't come."""
MAX_FAILURES_IN_A_ROW = 30
"""About a minute without an answer: a gateway that restarts is back by then."""


class StateSource(Protocol):
    """What is asked of the gateway."""

    def status(self, session_id: str) -> Json:
        """Return where a session is."""
        ...

    def events(self, session_id: str, after_event_id: str = "") -> Iterator[ServerSentEvent]:
        """Yield a session's events."""
        ...


def is_final(state: Json) -> bool:
    """Tell whether a session has ended."""
    return str(state.get("state") or state.get("status")) in FINAL_STATES


def follow(
    source: StateSource, session_id: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Json]:
    """Yield a session's states until it has ended. The last one is final.

    A broken stream is resumed after its last event. Between attempts the state is asked for, so that
    nothing hangs where a proxy swallows events.

    Raises:
        CommandError: The session is unknown, or the gateway stays away.
    """
    last_event_id, failure_count = "", 0
    while True:
        try:
            for event in source.events(session_id, last_event_id):
                last_event_id = event.id or last_event_id
                if event.event != "session":
                    continue
                failure_count = 0
                state: Json = json.loads(event.data)
                yield state
                if is_final(state):
                    return
        except (CommandError, json.JSONDecodeError) as error:
            _give_up_if_hopeless(error)
        try:
            state = source.status(session_id)
            failure_count = 0
            yield state
            if is_final(state):
                return
        except CommandError as error:
            _give_up_if_hopeless(error)
            failure_count += 1
            if failure_count >= MAX_FAILURES_IN_A_ROW:
                raise
        sleep(POLL_S)


def _give_up_if_hopeless(error: Exception) -> None:
    """Another attempt helps only where the gateway could not be reached."""
    if isinstance(error, CommandError) and error.exit_code is not ExitCode.UNREACHABLE:
        raise error
