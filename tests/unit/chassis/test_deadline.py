"""One deadline for whoever waits: how long is left, and whether the caller still wants the answer."""

from __future__ import annotations

import math
import threading

import pytest

from chassis.deadline import Deadline
from chassis.errors import CancelledCallError, DeadlineError


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_time_runs_out() -> None:
    clock = Clock()
    deadline = Deadline(5.0, clock=clock)

    clock.now_s += 4.0
    assert deadline.remaining_s == 1.0
    deadline.check()
    clock.now_s += 2.0

    assert (deadline.remaining_s, deadline.passed) == (0.0, True)
    with pytest.raises(DeadlineError):
        deadline.check()


def test_without_a_limit_time_never_runs_out() -> None:
    deadline = Deadline(None)

    assert math.isinf(deadline.shortened(5.0).remaining_s)
    deadline.check()


def test_a_shortened_deadline_keeps_a_reserve_and_hears_the_same_caller() -> None:
    stop = threading.Event()
    shorter = Deadline(5.0, stop, Clock()).shortened(2.0)

    assert shorter.remaining_s == 3.0
    stop.set()
    with pytest.raises(CancelledCallError):
        shorter.check()


def test_a_pause_ends_with_the_callers_patience() -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(CancelledCallError):
        Deadline(60.0, stop).pause(60.0)
