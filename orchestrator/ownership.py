"""Whose a session is. Asked for every session that a call is about, so that no method can forget it."""

from __future__ import annotations

from chassis.caller_groups import caller_groups
from chassis.errors import ForbiddenError, PreconditionError


def may_see(owner_group: str) -> bool:
    """Tell whether the call that is being served may know of a group's sessions."""
    groups = caller_groups.get()
    return groups is None or owner_group in groups


def is_listed(owner_group: str, asked_group: str) -> bool:
    """Tell whether a session stands in a list of one group's sessions, or in that of all (`""`)."""
    return may_see(owner_group) and asked_group in ("", owner_group)


def check_owner(owner_group: str) -> None:
    """Refuse a session in the name of a group that is not the caller's.

    Raises:
        ForbiddenError: `GROUP_FORBIDDEN`.
    """
    if not may_see(owner_group):
        raise ForbiddenError(
            "A session can't be made for another group. Name your own as its owner.", reason="GROUP_FORBIDDEN"
        )


def check_existing(owner_group: str) -> None:
    """Refuse to return an existing session in the place of a new one where it is another group's.

    Raises:
        PreconditionError: `SESSION_EXISTS`.
    """
    if not may_see(owner_group):
        raise PreconditionError(
            "This session id is taken. Choose another one for the new session.", reason="SESSION_EXISTS"
        )
