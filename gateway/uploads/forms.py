"""A form that has arrived, as plain data, and what it was allowed to bring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class UploadLimits:
    """What one upload may bring. Sizes in bytes."""

    max_file_bytes: int
    max_file_count: int
    max_field_bytes: int
    max_field_count: int
    max_total_bytes: int


@dataclass(frozen=True)
class ReceivedFile:
    """A recording that has arrived, as a local file that lives as long as the `receive` block."""

    field: str
    name: str
    """As the candidate's machine has it, without folders. For display only."""
    extension: str
    path: Path
    size_bytes: int
    digest: str
    """SHA-256 in lower-case hex."""


@dataclass(frozen=True)
class ReceivedForm:
    """A form that has arrived: its recordings and its text fields, each in order."""

    files: tuple[ReceivedFile, ...]
    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str | None:
        """Return the first value of a text field, or None."""
        return next((value for field, value in self.fields if field == name), None)

    def all(self, *names: str) -> tuple[str, ...]:
        """Return all values of some text fields, in order."""
        return tuple(value for field, value in self.fields if field in names)
