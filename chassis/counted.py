"""Counts what happens again and again: told at once the first time, and then as one number a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass
class _Seen:
    since_s: float
    waiting_count: int


class Counted(Generic[Key]):
    """What happens, each kind by itself.

    Args:
        window_s: How long repeats of a kind are only counted.
        max_key_count: Kinds that are told apart. What goes beyond is counted together.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, window_s: float, max_key_count: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._window_s = window_s
        self._max_key_count = max_key_count
        self._clock = clock
        self._seen: dict[Key, _Seen] = {}
        self.dropped_count = 0
        """What was not told apart any more."""

    def add(self, key: Key, count: int = 1) -> None:
        """Note that something happened."""
        seen = self._seen.get(key)
        if seen is not None:
            seen.waiting_count += count
        elif len(self._seen) < self._max_key_count:
            self._seen[key] = _Seen(self._clock() - self._window_s, count)
        else:
            self.dropped_count += count

    def take(self, *, everything: bool = False) -> list[tuple[Key, int]]:
        """Return what is to be told now, each with how often it happened, and count anew from here.

        Args:
            everything: Do not wait for the end of a window.
        """
        now_s, told = self._clock(), []
        for key, seen in list(self._seen.items()):
            due = everything or now_s - seen.since_s >= self._window_s
            if due and seen.waiting_count:
                told.append((key, seen.waiting_count))
                self._seen[key] = _Seen(now_s, 0)
            elif due:
                del self._seen[key]
        return told

    def give_back(self, told: list[tuple[Key, int]]) -> None:
        """Take back what could not be told. It is told next time."""
        for key, count in told:
            seen = self._seen.setdefault(key, _Seen(0.0, 0))
            seen.since_s, seen.waiting_count = self._clock() - self._window_s, seen.waiting_count + count

    def take_dropped(self) -> int:
        """Return how much was not told apart, and count anew."""
        count, self.dropped_count = self.dropped_count, 0
        return count
