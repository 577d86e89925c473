"""What is measured in a limited time: the most wanted first, and nothing that would not end in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Timer
from typing import Generic, TypeVar

from chassis.errors import CancelledCallError

T = TypeVar("T")

FIRST_GUESS_S = 30.0
"""How long a step is taken to last before one was seen."""


@dataclass(frozen=True)
class Step(Generic[T]):
    """One thing to measure."""

    name: str
    measure: Callable[[Event], T]
    """Ends soon, with `CancelledCallError`, once the event is set."""


@dataclass
class Measured(Generic[T]):
    """What came of the steps."""

    results: dict[str, T] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Why, by name."""
    left_out: list[str] = field(default_factory=list)


class Budget:
    """Time that must not be overdrawn.

    Args:
        total_s: From now on.
        clock: Seconds, never backwards.
    """

    def __init__(self, total_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._end_s = clock() + total_s

    @property
    def left_s(self) -> float:
        """What is left, never below 0."""
        return max(0.0, self._end_s - self.clock())


def measure_within(
    budget: Budget, steps: Sequence[Step[T]], say: Callable[[str], None] = print
) -> Measured[T]:
    """Measure one step after the other, as long as there is time for one that lasts as the longest so far.

    A step that is under way when the time is up is stopped. One that fails does not keep the rest from being
    measured.
    """
    measured: Measured[T] = Measured()
    longest_s = 0.0
    for step in steps:
        if budget.left_s < (longest_s or FIRST_GUESS_S):
            measured.left_out.append(step.name)
            continue
        stop, begin_s = Event(), budget.clock()
        timer = Timer(budget.left_s, stop.set)
        timer.start()
        try:
            measured.results[step.name] = step.measure(stop)
        except CancelledCallError:
            measured.left_out.append(step.name)
        except Exception as error:  # noqa: BLE001 (a card that lacks a number type still has the others)
            measured.failed[step.name] = f"{type(error).__name__}: {error}"
        finally:
            timer.cancel()
            timer.join()
        longest_s = max(longest_s, budget.clock() - begin_s)
        say(f"{step.name}: {budget.clock() - begin_s:.0f} s, {budget.left_s:.0f} s left")
    return measured
