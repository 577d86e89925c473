"""What the result document says of a session beside its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class SessionMetadata:
    """What the document says of the session beside its answers. Times are seconds since 1970-01-01 UTC."""

    session_id: str
    candidate_name: str
    status: str
    create_time_s: float
    finish_time_s: float
    config_digest: str
    software_version: str
    reader_language: str = ""
    """Language of what people read (BCP-47). Empty: that of the answers."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """What `config_digest` is the digest of."""
    code_digest: str = ""
    """SHA-256 of the code that makes the document. Empty where it is not known."""

    @property
    def created_at(self) -> str:
        """When the session was accepted (ISO 8601, UTC, whole seconds)."""
        return _utc(self.create_time_s)

    @property
    def finished_at(self) -> str:
        """When the document was made (ISO 8601, UTC, whole seconds)."""
        return _utc(self.finish_time_s)

    @property
    def processed_at(self) -> str:
        """When the document was made, as the original writes it: with `+00:00`."""
        return datetime.fromtimestamp(self.finish_time_s, UTC).isoformat(timespec="seconds")


def _utc(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
