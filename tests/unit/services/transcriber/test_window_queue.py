"""The queue of windows: whose turn it is, what goes together, and what a stop or an error does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import pytest

from chassis.errors import CancelledCallError
from services.transcriber.window_queue import Turns, WindowQueue

WAIT_S = 10.0


class GatedModel:
    """Doubles numbers, and holds its first batch until it is let go, so that others line up behind it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began = Event()
        self.gate = Event()
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, _kind: Hashable, payloads: Sequence[int]) -> list[int]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.batches.append(list(payloads))
        self.began.set()
        assert self.gate.wait(WAIT_S)
        self.at_once -= 1
        if any(payload < 0 for payload in payloads):
            raise ValueError("a number below zero")
        return [2 * payload for payload in payloads]


class Line:
    """Calls in threads, lined up in a known order behind a model that is held."""

    def __init__(self, max_batch_size: int = 1) -> None:
        self.model = GatedModel()
        self.queue: WindowQueue[int, int] = WindowQueue(self.model, max_batch_size)
        self.stack = ExitStack()
        self.pool = self.stack.enter_context(ThreadPoolExecutor(16))

    def join(self, stop: Event | None = None) -> Turns[int, int]:
        return self.stack.enter_context(self.queue.turns(stop or Event()))

    def ask(self, turns: Turns[int, int], payload: int, kind: Hashable = "encode") -> Future[int]:
        """Hand in a piece and return once it is waiting or being worked on."""
        held, waiting = self.model.began.is_set(), len(self.queue._waiting)
        future = self.pool.submit(turns.run, kind, payload)
        until(lambda: len(self.queue._waiting) > waiting if held else self.model.began.is_set())
        return future

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.model.gate.set()
        self.stack.close()


def until(holds: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(round(WAIT_S / 0.005)):
        if holds():
            return
        tick.wait(0.005)
    raise AssertionError("it never came to that")


def test_every_call_gets_its_own_result() -> None:
    with Line(max_batch_size=4) as line:
        futures = [line.ask(line.join(), payload) for payload in range(1, 6)]
        line.model.gate.set()

        assert [future.result(WAIT_S) for future in futures] == [2, 4, 6, 8, 10]


def test_one_batch_runs_at_a_time() -> None:
    with Line() as line:
        futures = [line.ask(line.join(), payload) for payload in range(6)]
        line.model.gate.set()
        for future in futures:
            future.result(WAIT_S)

        assert line.model.most_at_once == 1
        assert line.model.batches == [[payload] for payload in range(6)]


def test_pieces_of_one_kind_go_together_up_to_the_largest_batch() -> None:
    with Line(max_batch_size=3) as line:
        futures = [line.ask(line.join(), payload) for payload in range(6)]
        line.model.gate.set()
        for future in futures:
            future.result(WAIT_S)

        assert line.model.batches == [[0], [1, 2, 3], [4, 5]]


def test_pieces_of_different_kinds_never_go_together() -> None:
    with Line(max_batch_size=8) as line:
        kinds = ["encode", "decode", "encode", "decode", "encode"]
        futures = [line.ask(line.join(), index, kind) for index, kind in enumerate(kinds)]
        line.model.gate.set()
        for future in futures:
            future.result(WAIT_S)

        assert line.model.batches == [[0], [1, 3], [2, 4]]


def test_whoever_was_served_least_is_next_whatever_the_order_of_asking() -> None:
    with Line() as line:
        long, short = line.join(), line.join()
        line.ask(line.join(), 0)
        first = line.ask(long, 1)
        line.model.gate.set()
        first.result(WAIT_S)  # the model has worked for the long one
        line.model.gate.clear()
        line.model.began.clear()
        line.ask(line.join(), 10)
        futures = [line.ask(long, 2), line.ask(short, 3)]
        line.model.gate.set()
        for future in futures:
            future.result(WAIT_S)

        assert line.model.batches[-2:] == [[3], [2]]


def test_a_newcomer_does_not_overtake_those_who_were_served_as_little() -> None:
    with Line() as line:
        line.ask(line.join(), 0)
        futures = [line.ask(line.join(), 1), line.ask(line.join(), 2)]
        line.model.gate.set()
        for future in futures:
            future.result(WAIT_S)

        assert line.model.batches == [[0], [1], [2]]


def test_a_stopped_call_leaves_the_queue_without_reaching_the_model() -> None:
    with Line() as line:
        stop = Event()
        line.ask(line.join(), 0)
        stopped = line.ask(line.join(stop), 1)
        other = line.ask(line.join(), 2)
        stop.set()
        with pytest.raises(CancelledCallError):
            stopped.result(WAIT_S)
        line.model.gate.set()

        assert other.result(WAIT_S) == 4
        assert line.model.batches == [[0], [2]]


def test_an_error_reaches_every_call_of_its_batch_and_the_queue_goes_on() -> None:
    with Line(max_batch_size=2) as line:
        line.ask(line.join(), 0)
        failed = [line.ask(line.join(), -1), line.ask(line.join(), 1)]
        later = line.ask(line.join(), 5)
        line.model.gate.set()

        for future in failed:
            with pytest.raises(ValueError, match="below zero"):
                future.result(WAIT_S)
        assert later.result(WAIT_S) == 10
