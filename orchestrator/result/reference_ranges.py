"""Pure: what is usual for a measure, where a published source says so. It is not a judgement of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ReferenceRange:
    """The range in which a source found most people. Both ends in `unit`."""

    low: float
    high: float
    unit: str
    source: str


REFERENCE_RANGES: Mapping[str, ReferenceRange] = {
    "blink_rate": ReferenceRange(
        10.5,
        32.5,
        "per_min",
        "Doughty, M. J. (2001): Consideration of three types of spontaneous eyeblink activity in normal "
        "humans. Optometry and Vision Science 78(10), 712-725. 95 % interval for adults in conversation.",
    ),
}
"""By the measure's name. Only ranges in our own unit and for people who speak. There is no well-founded
one for words a speaking minute (published rates count the pauses too)."""
