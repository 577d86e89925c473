"""What the gateway needs of the audit log, and what it brings to it, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

OK = "ok"


@dataclass(frozen=True)
class AuditNote:
    """One thing that the gateway has seen. See the contract's message of this name."""

    action: str
    outcome: str = OK
    who: str = ""
    group: str = ""
    session_id: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class AuditPage:
    """Records of the log, and its newest one's number and hash."""

    lines: tuple[str, ...]
    """Each a JSON object: the record with its hash."""
    last_seq: int | None
    """Number of the last one of them. None where there is none."""
    head_seq: int
    head_hash: str


class AuditLog(Protocol):
    """The orchestrator's log. All methods raise `chassis.errors` types."""

    async def read(self, after_seq: int, limit_count: int) -> AuditPage:
        """Return records behind a number. The caller has been found to be an administrator."""

    async def note(self, notes: Sequence[tuple[AuditNote, int]]) -> None:
        """Have notes written down, each with how often it happened. Then they are durable."""
