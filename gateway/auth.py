"""API keys: stored as SHA-256, compared in constant time, with scopes and an expiry."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chassis.errors import ForbiddenError
from gateway.callers import UNOWNED, Client
from gateway.settings import ApiKey, Scope

HEADER = "X-API-Key"
COOKIE = "interview_key"
"""Carries the key for a browser's `<video>` and `EventSource`, which can't send headers. Reading only."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class KeyRing:
    """Tells clients by their keys.

    Args:
        keys: The known keys. None lets everybody in.
        heir_group: The group that also sees sessions without an owner. Empty: none does.
        now: Clock for expiries.
    """

    def __init__(
        self, keys: Sequence[ApiKey], heir_group: str = "", now: Callable[[], datetime] = utc_now
    ) -> None:
        self._keys = tuple(keys)
        self._heir_group = heir_group
        self._now = now

    @property
    def open(self) -> bool:
        """Whether everybody is let in."""
        return not self._keys

    def authenticate(self, presented: str | None, scope: Scope, address: str) -> Client:
        """Return the client whose key was presented.

        Raises:
            ForbiddenError: The key is absent, unknown, expired, or not for this scope.
        """
        if self.open:
            return Client(address)
        key = self._find(presented or "")
        if key is None or (key.expires is not None and key.expires <= self._now()):
            raise ForbiddenError("Invalid or missing API Key", reason="API_KEY_INVALID")
        if scope not in key.scopes and "admin" not in key.scopes:
            raise ForbiddenError(
                f"This API key lacks the scope '{scope}'. Use a key that has it.",
                reason="API_KEY_SCOPE_MISSING",
            )
        return Client(f"key:{key.name}", key.owner_group, self._visible(key))

    def _visible(self, key: ApiKey) -> frozenset[str] | None:
        if "admin" in key.scopes:
            return None
        own = frozenset({key.owner_group})
        return own | UNOWNED if key.owner_group == self._heir_group else own

    def _find(self, presented: str) -> ApiKey | None:
        digest = hashlib.sha256(presented.encode()).hexdigest()
        found = None
        for key in self._keys:  # all of them: the time taken tells nothing
            if hmac.compare_digest(digest, key.sha256):
                found = key
        return found
