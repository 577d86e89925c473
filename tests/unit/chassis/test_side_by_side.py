"""Calls that block are made side by side and keep their order. One that fails leaves out the rest."""

from __future__ import annotations

import contextvars
import threading
from functools import partial

import pytest

from chassis.side_by_side import side_by_side

asked_for = contextvars.ContextVar("asked_for", default="nobody")


def test_calls_are_made_at_the_same_time_and_their_order_is_kept() -> None:
    together = threading.Barrier(3, timeout=20)

    def call(number: int) -> int:
        together.wait()
        return number

    assert side_by_side([partial(call, number) for number in range(3)], 3) == [0, 1, 2]


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_than_allowed_are_under_way(at_once: int) -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def call() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        with lock:
            under_way -= 1

    side_by_side([call] * 8, at_once)

    assert most <= at_once


@pytest.mark.parametrize("at_once", [1, 2])
def test_what_fails_is_raised_and_what_had_not_begun_is_left_out(at_once: int) -> None:
    begun: list[int] = []

    def call(number: int) -> None:
        begun.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        side_by_side([partial(call, number) for number in range(20)], at_once)

    assert len(begun) < 20


def test_every_call_knows_who_asked() -> None:
    asked_for.set("somebody")

    assert side_by_side([asked_for.get] * 3, 2) == ["somebody"] * 3


def test_nothing_to_call_gives_nothing() -> None:
    assert side_by_side([], 4) == []
