"""What a reader should know about a recording before trusting what was measured in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

NOTABLE_S = 1.0
"""Shorter differences between the tracks of a recording are usual and are not told."""
STANDS_S = 2.0
"""A picture that does not move on for longer stands still: slow cameras give a frame a second."""

MAX_OF_A_KIND = 20
"""A hostile or broken file may have a thing thousands of times."""


@dataclass(frozen=True, slots=True)
class RecordingWarning:
    """One thing that a reader should know, as in `interview.v1.RecordingWarning`."""

    kind: str
    """UPPER_SNAKE, listed in `docs/recordings.md`."""
    message: str
    """One or two sentences for a reader."""
    start_s: float | None = None
    """On the recording's clock. None where it has no place in time."""
    end_s: float | None = None


def in_order(warnings: Iterable[RecordingWarning]) -> tuple[RecordingWarning, ...]:
    """Sort warnings by time. Those without a place in time come first.

    Of each kind the first `MAX_OF_A_KIND` are kept, and the last of them says how many more there are.
    """
    kept: dict[str, list[RecordingWarning]] = {}
    for one in sorted(warnings, key=_place):
        kept.setdefault(one.kind, []).append(one)
    return tuple(sorted((one for each in kept.values() for one in _bounded(each)), key=_place))


def _place(warning: RecordingWarning) -> float:
    return -1.0 if warning.start_s is None else warning.start_s


def _bounded(warnings: list[RecordingWarning]) -> list[RecordingWarning]:
    more_count = len(warnings) - MAX_OF_A_KIND
    if more_count <= 0:
        return warnings
    last = warnings[MAX_OF_A_KIND - 1]
    message = f"{last.message} More of this kind: {more_count}."
    return [*warnings[: MAX_OF_A_KIND - 1], replace(last, message=message)]


def clock_time(time_s: float) -> str:
    """Write a time as a player does: `1:02:03`, `0:07`."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
