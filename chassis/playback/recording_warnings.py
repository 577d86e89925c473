"""What a reader should know about a recording before trusting what was measured in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NOTABLE_S = 1.0
"""Shorter differences between the tracks of a recording are usual and are not told."""
STANDS_S = 2.0
"""A picture that does not move on for longer stands still: slow cameras give a frame a second."""


@dataclass(frozen=True, slots=True)
class RecordingWarning:
    """One thing that a reader should know, as in `interview.v1.RecordingWarning`."""

    kind: str
    """UPPER_SNAKE, listed in `docs/recordings.md`."""
    message: str
    """One or two sentences for a reader."""
    start_s: float | None = None
    """On the recording's clock; None where it has no place in time."""
    end_s: float | None = None


def in_order(warnings: Iterable[RecordingWarning]) -> tuple[RecordingWarning, ...]:
    """Sort warnings by time; those without a place in time come first."""
    return tuple(sorted(warnings, key=lambda one: -1.0 if one.start_s is None else one.start_s))


def clock_time(time_s: float) -> str:
    """Write a time as a player does: `1:02:03`, `0:07`."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
