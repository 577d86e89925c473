"""The check of numbers takes steps as a text is long, whatever the text is made of."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from services.translator.moments import read_dates
from services.translator.numerals import tokens_of
from services.translator.quantity_checks import quantity_fault

REPEATED = (
    "9",
    "1 ",
    "1.",
    "12 34 ",
    "1 day ",
    "7 days and 3 weeks ",
    "half past 3 pm ",
    "17-08-1998 ",
    "one point five ",
    "a half and ",
    "juta ",
    "more ",
    "- ",
)
"""What texts are made of that make a reader look far ahead, or back."""


def steps_of(source: str, translation: str) -> int:
    """Count the calls that a check makes. Unlike its time, they are the same beside any other work."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        quantity_fault(source, translation, "en", "id")
    finally:
        sys.setprofile(before)
    return count


def counting(first: int, count: int) -> str:
    return " ".join(f"{number} hari" for number in range(first, first + count))


@pytest.mark.parametrize("piece", REPEATED)
def test_a_text_twice_as_long_takes_twice_the_steps(piece: str) -> None:
    short, long = (
        steps_of(piece * count, counting(1_000, count)) + steps_of(counting(1_000, count), piece * count)
        for count in (100, 200)
    )

    assert long < 2.5 * short


@pytest.mark.parametrize("piece", REPEATED)
def test_patterns_read_a_text_in_one_pass(piece: str) -> None:
    """Calls don't count what a pattern does inside. One that looks back at every place would take minutes."""
    text = piece * (200_000 // len(piece))

    _, rest = read_dates(text)

    assert tokens_of(rest + "x")[-1].text.endswith("x")


@pytest.mark.parametrize("text", ["9" * 10_000, "1 " * 5_000, " ".join(map(str, range(2_000))), "1." * 5_000])
def test_the_longest_texts_are_checked(text: str) -> None:
    assert quantity_fault(text, " ".join(str(n) for n in range(2_000, 4_000)), "en", "id")
