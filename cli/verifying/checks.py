"""What a check finds: what the document says, what comes out here, and whether both agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = dict[str, Any]
Checks = Iterator["Check"]

NOT_A_RESULT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading raises where a document lacks something, or has something else in its place."""


class Verdict(StrEnum):
    """What became of a check."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_RECORDED = "not recorded"
    """The document does not say it. Those of older versions say less."""
    UNCHECKED = "can't be checked here"
    """What it takes is not at hand. The note says what that is."""


@dataclass(frozen=True)
class Check:
    """One line of what was found."""

    name: str
    verdict: Verdict
    recorded: object = None
    computed: object = None
    note: str = ""

    def to_json(self) -> Json:
        """Return what programs read."""
        return {
            "check": self.name,
            "recorded": self.recorded,
            "computed": self.computed,
            "verdict": str(self.verdict),
            "note": self.note,
        }


@dataclass(frozen=True)
class Pair:
    """A value of the document, and what it should be by the rest of the document."""

    label: str
    recorded: object
    computed: object
    tolerance: float = 0.0
    """By how much two numbers may differ, because the document rounds what they follow from."""

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        if _is_number(self.recorded) and _is_number(self.computed) and self.tolerance:
            return abs(float(str(self.recorded)) - float(str(self.computed))) <= self.tolerance
        return self.recorded == self.computed


def compared(name: str, pairs: Iterable[Pair]) -> Checks:
    """Yield one check for all pairs that agree, and one for each that does not."""
    found = list(pairs)
    wrong = [pair for pair in found if not pair.agrees]
    for pair in wrong:
        yield Check(f"{name}: {pair.label}", Verdict.DIFFERS, pair.recorded, pair.computed)
    if found and not wrong:
        told = f"{len(found)} values"
        yield Check(name, Verdict.SAME, told, told)


def guarded(name: str, group: Callable[[], Checks]) -> Checks:
    """Yield a group's checks. A document that can't be read there differs from every right one."""
    try:
        yield from group()
    except NOT_A_RESULT:
        note = "The document has another shape here than a result document."
        yield Check(name, Verdict.DIFFERS, note=note)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
