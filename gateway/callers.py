"""Who is calling, and whose sessions it may see."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

logger = logging.getLogger(__name__)

UNOWNED = frozenset({""})
"""Only sessions without an owner: those that were made without keys."""


@dataclass(frozen=True)
class Client:
    """Who is calling: a key, a person who signed in, or an address where nobody is asked for either."""

    name: str
    """`key:…`, `person:…`, `page:…` (a visitor of the original's page, by its key), or an address."""
    group: str = ""
    """Owns the sessions that this client makes. Empty: nobody does."""
    groups: frozenset[str] | None = UNOWNED
    """Whose sessions it may see, `""` for those without an owner. None: everybody's."""
    key_sha256: str = field(default="", repr=False)
    """Of the key that it showed. Empty without one."""
    upload_rate: str = ""
    byte_rate: str = ""
    """Its own limits. Empty: those of everybody."""
    end: datetime | None = None
    """When a person's sign-in ends. None without one."""
    address: str = field(default="", repr=False)
    """Where a visitor of the original's page comes from. Empty for others."""

    @property
    def known(self) -> bool:
        """Whether the name is somebody's, and not the address that a request came from."""
        return bool(self.key_sha256) or self.end is not None

    @property
    def share(self) -> str:
        """Under which name its use is limited: visitors of one page by their addresses."""
        return self.address or self.name

    @property
    def who(self) -> str:
        """Who it is for the audit log. An address is nobody."""
        if self == OURSELVES:
            return "system:gateway"
        return self.name if self.known else "anonymous"


STRANGER = Client("unknown")
"""Whoever has not been told apart yet. A route that forgets to ask for a key shows nobody's sessions."""
OURSELVES = Client("gateway", groups=None)
"""The gateway itself, outside of any request."""

current_client: ContextVar[Client] = ContextVar("current_client", default=OURSELVES)
"""Who sent the request that is being served. What asks the orchestrator reads it: no route can forget it."""


def log_refusal(reason: str, address: str, client: str = "") -> None:
    """Log that somebody was not let in.

    Args:
        reason: Why, as the answer's `code`.
        address: Where the request came from.
        client: Whose key it showed, where one is known.
    """
    extra = {"reason": reason, "address": address, "client": client}
    logger.warning("a caller was refused", extra=extra)
