"""One figure of the design beside what was reached."""

from __future__ import annotations

from dataclasses import dataclass

NOT_MEASURED = "–"


@dataclass(frozen=True)
class Figure:
    """A row of the table of what was promised and what was reached."""

    what: str
    design: str
    """As the design document has it."""
    reached: str
    holds: bool | None
    """None where there is no target, or nothing at hand has the truth that it would take (then `reached` is
    `NOT_MEASURED`)."""
    on: str
    """What it was measured on."""


def counted(hits: int, of: int) -> str:
    """Write so many of so many."""
    return f"{hits} of {of}"
