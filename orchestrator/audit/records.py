"""Pure: what a record says. No names, nothing that was said, no key, and of a session's id its hash only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chassis.acting import Actor
from chassis.audit_chain import PRUNED, hash_of_session


class Action(StrEnum):
    """What was done."""

    ACCEPT = "session.accept"
    CANCEL = "session.cancel"
    RETRY = "session.retry"
    REASSESS = "session.reassess"
    DELETE = "session.delete"
    EXPIRE = "session.expire"
    HOLD = "session.hold"
    RELEASE = "session.release"
    READ_RESULT = "result.read"
    READ_MEDIA = "media.read"
    REFUSE_KEY = "key.refused"
    SIGN_IN = "person.signed_in"
    REFUSE_SIGN_IN = "sign_in.refused"
    READ_KEYS = "keys.read"
    CHANGE_KEYS = "keys.changed"
    DROP_NOTES = "notes.dropped"
    PRUNE = PRUNED


NOTED_BY_CALLERS = frozenset(
    {
        Action.READ_MEDIA,
        Action.REFUSE_KEY,
        Action.SIGN_IN,
        Action.REFUSE_SIGN_IN,
        Action.READ_KEYS,
        Action.CHANGE_KEYS,
        Action.DROP_NOTES,
    }
)
"""What only the gateway sees."""
BEGUN = "begun"
"""The outcome before a change is made. A record with its end follows, unless the process dies in between."""
OK = "ok"

Detail = str | int


@dataclass(frozen=True)
class Event:
    """What is written down, without when and where in the log."""

    action: str
    outcome: str
    actor: Actor
    session: str = ""
    """Hash of the session's id. Empty without one."""
    details: tuple[tuple[str, Detail], ...] = ()

    def record(self, time_ms: int, count: int = 1) -> dict[str, Any]:
        """Return the record's fields."""
        return {
            "action": self.action,
            "count": count,
            "details": dict(self.details),
            "group": self.actor.group,
            "outcome": self.outcome,
            "session": self.session,
            "time_ms": time_ms,
            "via": self.actor.via,
            "who": self.actor.who,
        }


def event(action: str, actor: Actor, outcome: str, session_id: str, details: Mapping[str, Detail]) -> Event:
    """Return an event about a session, or about none (`""`)."""
    session = hash_of_session(session_id) if session_id else ""
    return Event(action, outcome, actor, session, tuple(sorted(details.items())))
