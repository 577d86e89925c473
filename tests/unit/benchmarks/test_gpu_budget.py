"""A benchmark on a lent machine ends in time, and says what it left out."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from benchmarks.gpu.budget import FIRST_GUESS_S, Budget, Step, measure_within
from chassis.errors import CancelledCallError


class Clock:
    """Stands still until a step takes time."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s

    def step(self, name: str, takes_s: float) -> Step[str]:
        def measure(_: Event) -> str:
            self.now_s += takes_s
            return f"{name} measured"

        return Step(name, measure)


def said() -> tuple[list[str], Callable[[str], None]]:
    lines: list[str] = []
    return lines, lines.append


def test_everything_is_measured_where_there_is_time() -> None:
    clock, (lines, say) = Clock(), said()

    measured = measure_within(Budget(100, clock), [clock.step("a", 10), clock.step("b", 20)], say)

    assert measured.results == {"a": "a measured", "b": "b measured"}
    assert measured.left_out == []
    assert lines == ["a: 10 s, 90 s left", "b: 20 s, 70 s left"]


def test_a_step_is_left_out_where_it_would_not_end_in_time_if_it_took_as_long_as_the_longest() -> None:
    clock, (_, say) = Clock(), said()
    steps = [clock.step("a", 40), clock.step("b", 30), clock.step("c", 1), clock.step("d", 1)]

    measured = measure_within(Budget(100, clock), steps, say)

    assert list(measured.results) == ["a", "b"]
    assert measured.left_out == ["c", "d"]


def test_the_first_step_wants_room_too() -> None:
    clock, (_, say) = Clock(), said()

    measured = measure_within(Budget(FIRST_GUESS_S - 1, clock), [clock.step("a", 1)], say)

    assert measured.left_out == ["a"]


def test_a_step_that_is_under_way_at_the_end_is_stopped_and_named() -> None:
    def endless(stop: Event) -> str:
        assert stop.wait(30)
        raise CancelledCallError("The transcription was cancelled.", reason="CANCELLED")

    clock, (_, say) = Clock(), said()
    clock_s = iter([0.0, 0.0, 0.0])
    budget = Budget(FIRST_GUESS_S + 0.05, lambda: next(clock_s, FIRST_GUESS_S))

    measured = measure_within(budget, [Step("endless", endless), clock.step("next", 1)], say)

    assert measured.left_out == ["endless", "next"]


def test_a_step_that_fails_does_not_keep_the_next_from_being_measured() -> None:
    def broken(_: Event) -> str:
        raise ValueError("no such number type")

    clock, (_, say) = Clock(), said()

    measured = measure_within(Budget(100, clock), [Step("a", broken), clock.step("b", 1)], say)

    assert measured.failed == {"a": "ValueError: no such number type"}
    assert list(measured.results) == ["b"]
