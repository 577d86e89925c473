"""One queue for the windows of all running calls: fair turns, and batches that mix callers.

A call decodes in a thread of its own and hands each piece of model work to the queue. One batch runs
at a time. Its first piece belongs to the call that the model has served least, so a long recording does
not starve a short one. Pieces of the same kind by other calls go with it. A call has at most one piece
waiting, so the queue is as long as there are calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Event
from typing import Generic, TypeVar

from chassis.errors import CancelledCallError

P = TypeVar("P")
R = TypeVar("R")

STOP_POLL_S = 0.1
"""How often a waiting call looks at its stop event."""


@dataclass(eq=False)
class _Caller:
    """A running call."""

    stop: Event
    served_s: float
    """What the model did for it, plus what it had done for the least served when the call came."""


@dataclass(eq=False)
class _Piece(Generic[P, R]):
    """One piece of work of one call."""

    caller: _Caller
    kind: Hashable
    payload: P
    result: R | None = None
    error: BaseException | None = None
    done: bool = False


class Turns(Generic[P, R]):
    """One call's way into the queue."""

    def __init__(self, queue: WindowQueue[P, R], caller: _Caller) -> None:
        self._queue = queue
        self._caller = caller

    def run(self, kind: Hashable, payload: P) -> R:
        """Wait for a turn, and return what the model made of `payload`.

        Raises:
            CancelledCallError: The call was stopped while it waited (`CANCELLED`).
            Exception: Whatever the model raised for the batch.
        """
        return self._queue._run(_Piece(self._caller, kind, payload))


class WindowQueue(Generic[P, R]):
    """Hands the model to one batch after the other.

    Args:
        work: Turns the payloads of one kind, at most `max_batch_size`, into as many results.
        max_batch_size: Pieces that go together.
    """

    def __init__(self, work: Callable[[Hashable, Sequence[P]], Sequence[R]], max_batch_size: int) -> None:
        self._work = work
        self._max_batch_size = max_batch_size
        self._changed = Condition()
        self._callers: list[_Caller] = []
        self._waiting: list[_Piece[P, R]] = []
        self._busy = False

    @contextmanager
    def turns(self, stop: Event) -> Iterator[Turns[P, R]]:
        """Take part for one call. A set `stop` frees its place."""
        with self._changed:
            least_s = min((caller.served_s for caller in self._callers), default=0.0)
            caller = _Caller(stop, least_s)
            self._callers.append(caller)
        try:
            yield Turns(self, caller)
        finally:
            with self._changed:
                self._callers.remove(caller)

    def _run(self, piece: _Piece[P, R]) -> R:
        with self._changed:
            self._waiting.append(piece)
            while not piece.done:
                if piece in self._waiting and piece.caller.stop.is_set():
                    self._waiting.remove(piece)
                    self._changed.notify_all()
                    raise CancelledCallError("The transcription was cancelled.", reason="CANCELLED")
                if self._busy or not self._waiting:
                    self._changed.wait(STOP_POLL_S)
                else:
                    self._serve(self._take())
        if piece.error is not None:
            raise piece.error
        return piece.result  # type: ignore[return-value]  # done without an error

    def _take(self) -> list[_Piece[P, R]]:
        """Remove the next batch: whose call was served least, and what can go with it, in that order."""
        fair = sorted(self._waiting, key=lambda piece: piece.caller.served_s)
        batch = [piece for piece in fair if piece.kind == fair[0].kind][: self._max_batch_size]
        self._waiting = [piece for piece in self._waiting if piece not in batch]
        return batch

    def _serve(self, batch: list[_Piece[P, R]]) -> None:
        """Run a batch without the lock, in the thread of whoever found the model free."""
        self._busy = True
        self._changed.release()
        begin_s = time.perf_counter()
        results: Sequence[R] = ()
        error: BaseException | None = None
        try:
            results = self._work(batch[0].kind, [piece.payload for piece in batch])
        except BaseException as raised:  # noqa: BLE001 (each waiting call raises it in its own thread)
            error = raised
        finally:
            took_s = (time.perf_counter() - begin_s) / len(batch)
            self._changed.acquire()
            self._busy = False
            for index, piece in enumerate(batch):
                piece.caller.served_s += took_s
                piece.error, piece.done = error, True
                piece.result = results[index] if error is None else None
            self._changed.notify_all()
