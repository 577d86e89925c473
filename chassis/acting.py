"""Who a call is made for. It travels as metadata of the call, beside the groups of `caller_groups`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import quote, unquote

from chassis.limits import MAX_GROUP_CHARACTERS

CALLER_KEY = "interview-caller"
"""Metadata of a call: who it is made for and that one's group, each percent-encoded, with a comma between
them. It is the word of the process that calls: see `Actor.via`."""
MAX_WHO_CHARACTERS = MAX_GROUP_CHARACTERS + 20
"""A key's name with its kind before it."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Actor:
    """Who does something."""

    who: str
    """Such as `key:ana`, `caller:monitor` (a process, by its certificate or token) or `system:sweep`."""
    group: str = ""
    via: str = ""
    """The process that calls for them, by its certificate or token. Empty where none are told apart."""


OURSELVES = Actor("system:orchestrator")
current_actor: ContextVar[Actor] = ContextVar("current_actor", default=OURSELVES)
"""Who the present call is made for, or the part of this process that acts by itself."""


@contextmanager
def acting(who: str) -> Iterator[None]:
    """Let a part of this process act by itself, such as `system:sweep`."""
    before = current_actor.set(Actor(who))
    try:
        yield
    finally:
        current_actor.reset(before)


def encode_caller(who: str, group: str) -> str:
    """Return the metadata's value, which is ASCII whatever the names are."""
    return f"{quote(who, safe='')},{quote(group, safe='')}"


def actor_of(value: object, via: str) -> Actor:
    """Return who a call is made for.

    Args:
        value: The metadata's value. None where there is none.
        via: The process that calls. Empty where none are told apart.
    """
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
    who, _, group = text.partition(",")
    named = unquote(who)[:MAX_WHO_CHARACTERS]
    return Actor(
        named or (f"caller:{via}"[:MAX_WHO_CHARACTERS] if via else UNKNOWN),
        unquote(group)[:MAX_GROUP_CHARACTERS],
        via[:MAX_WHO_CHARACTERS],
    )
