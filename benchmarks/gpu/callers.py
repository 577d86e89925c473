"""Several callers of one transcriber, as its service has them: each in a thread, all on one model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from threading import Event
from typing import Protocol

from benchmarks.gpu.recordings import Recording


class Transcribing(Protocol):
    """Writes down what is said in a recording."""

    def __call__(self, recording: Recording, stop: Event) -> str:
        """Return the words. Raises `CancelledCallError` once `stop` is set."""
        ...


@dataclass(frozen=True)
class Call:
    """One recording that was transcribed. Times count from the callers' start."""

    recording: Recording
    text: str
    begin_s: float
    end_s: float


def call_for(
    window_s: float,
    caller_count: int,
    recordings: Sequence[Recording],
    transcribe: Transcribing,
    stop: Event,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Call]:
    """Let callers transcribe one recording after the other until `window_s` is over, and end what they hold.

    Each has at least one.

    Raises:
        CancelledCallError: `stop` was set.
    """
    numbers, start_s = count(), clock()

    def caller(_: int) -> list[Call]:
        calls: list[Call] = []
        while not calls or clock() - start_s < window_s:
            recording = recordings[next(numbers) % len(recordings)]
            begin_s = clock() - start_s
            text = transcribe(recording, stop)
            calls.append(Call(recording, text, begin_s, clock() - start_s))
        return calls

    with ThreadPoolExecutor(caller_count) as pool:
        return [call for calls in pool.map(caller, range(caller_count)) for call in calls]


def real_time_ratio(calls: Sequence[Call], window_s: float) -> float:
    """Return how many seconds of sound were transcribed a second, while every caller was at work.

    A call that goes on after the window counts by the share of its time that lies in it. So the end, where
    callers drop out one by one, does not count.
    """
    heard_s = 0.0
    for call in calls:
        inside_s = max(0.0, min(call.end_s, window_s) - call.begin_s)
        heard_s += call.recording.duration_s * inside_s / (call.end_s - call.begin_s)
    return heard_s / window_s


def texts_of(calls: Sequence[Call]) -> dict[str, str]:
    """Return the first text of each recording, by file name."""
    texts: dict[str, str] = {}
    for call in sorted(calls, key=lambda call: call.begin_s):
        texts.setdefault(call.recording.path.name, call.text)
    return texts
