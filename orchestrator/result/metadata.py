"""What the result document says of a session beside its answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Frame:
    """What the document says of the session beside its answers."""

    session_id: str
    candidate_name: str
    status: str
    create_time_s: float
    finish_time_s: float
    config_digest: str
    software_version: str
    reader_language: str = ""
    """Language of what people read (BCP-47); empty: that of the answers."""

    @property
    def processed_at(self) -> str:
        """When the document was made, as the original writes it."""
        return datetime.fromtimestamp(self.finish_time_s, UTC).isoformat(timespec="seconds")
