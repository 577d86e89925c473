"""Somebody who signed in, what they may do, and the cookie that says so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.api_keys import Scope
from chassis.errors import ForbiddenError
from gateway.callers import UNOWNED, Client
from gateway.people.settings import ProviderGroup
from gateway.sealed import Seal

COOKIE = "interview_person"
MAX_NAME_CHARACTERS = 100
SUBJECT_CHARACTERS = 32
MARK_CHARACTERS = 16
"""Of a digest of a group's name: enough to tell the groups of the settings apart."""
NAME_CLAIMS = ("name", "preferred_username", "nickname")


@dataclass(frozen=True)
class Person:
    """Somebody who signed in."""

    subject: str
    """`person:` and a digest of issuer and subject, always the same: no name, no e-mail address."""
    marks: frozenset[str]
    """Digests of the provider's groups that count for us and that the person is in."""
    end: datetime
    """When the sign-in ends."""
    name: str = field(default="", repr=False)
    """To be shown to the person alone."""


def subject_of(issuer: str, subject: str) -> str:
    """Return under which name we know somebody."""
    digest = hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()
    return f"person:{digest[:SUBJECT_CHARACTERS]}"


def mark_of(group: str) -> str:
    """Return what a cookie holds of a group's name, so that it stays small."""
    return hashlib.sha256(group.encode()).hexdigest()[:MARK_CHARACTERS]


def groups_in(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the groups that an ID token lists. Dots in the claim's name lead into it."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return frozenset(group for group in listed if isinstance(group, str))


class People:
    """Tells who signed in by their cookie, and what they may do.

    Args:
        seal: Seals the cookies.
        groups: What the people of the provider's groups may do.
        heir_group: The group that also sees sessions without an owner. Empty: none does.
    """

    def __init__(self, seal: Seal, groups: Sequence[ProviderGroup], heir_group: str = "") -> None:
        self._seal = seal
        self._groups = groups
        self._heir_group = heir_group
        self.lifetime_s = seal.lifetime_s

    def met(self, issuer: str, claims: Mapping[str, Any], groups: frozenset[str], now: datetime) -> Person:
        """Return the person whom an ID token that was checked is about.

        Raises:
            ForbiddenError: None of the person's groups is let in (`SIGN_IN_GROUP_MISSING`).
        """
        names = (claims.get(claim) for claim in NAME_CLAIMS)
        name = next((name for name in names if isinstance(name, str) and name), "")
        person = Person(
            subject_of(issuer, claims["sub"]),
            frozenset(mark_of(group.claim) for group in self._groups if group.claim in groups),
            now + timedelta(seconds=self.lifetime_s),
            "".join(character for character in name if character.isprintable())[:MAX_NAME_CHARACTERS],
        )
        self._held(person)
        return person

    def cookie_for(self, person: Person, now: datetime) -> str:
        """Return a cookie's value for somebody who signed in."""
        kept = {"subject": person.subject, "name": person.name, "marks": sorted(person.marks)}
        return self._seal.seal(kept | {"end": int(person.end.timestamp())}, now)

    def find(self, cookie: str, now: datetime) -> Person | None:
        """Return whom a cookie is of. None where it is not ours or has ended."""
        kept = self._seal.open(cookie, now)
        if kept is None or now.timestamp() >= kept["end"]:
            return None
        end = datetime.fromtimestamp(kept["end"], UTC)
        return Person(kept["subject"], frozenset(kept["marks"]), end, kept["name"])

    def client_of(self, person: Person, scopes: Sequence[Scope]) -> Client:
        """Return a person as a caller, for what needs one of these scopes.

        Only groups that grant one of them count: who may review for one group and manage for another one
        does not manage the first one's sessions.

        Raises:
            ForbiddenError: No group of the person is let in, or none of them grants any of the scopes.
        """
        granting = [group for group in self._held(person) if {"admin", *scopes}.intersection(group.scopes)]
        if not granting:
            raise ForbiddenError(
                f"Your groups lack the scope '{scopes[0]}'. Ask the operator for it.",
                reason="SIGN_IN_SCOPE_MISSING",
            )
        visible: frozenset[str] | None = frozenset(group.owner_group for group in granting)
        if any("admin" in group.scopes for group in granting):
            visible = None
        elif visible is not None and self._heir_group in visible:
            visible |= UNOWNED
        return Client(person.subject, group=granting[0].owner_group, groups=visible, end=person.end)

    def _held(self, person: Person) -> list[ProviderGroup]:
        held = [group for group in self._groups if mark_of(group.claim) in person.marks]
        if not held:
            raise ForbiddenError(
                "You are in no group that is let in here. Ask the operator to add you to one, then sign in"
                " again.",
                reason="SIGN_IN_GROUP_MISSING",
            )
        return held
