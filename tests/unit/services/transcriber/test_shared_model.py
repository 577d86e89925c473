"""What the shared model tells of the batches that really ran."""

from __future__ import annotations

from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest

from services.transcriber.shared_model import SharedModel


class Languages:
    """Stands in for CTranslate2. The first request holds the model until others wait for it."""

    def __init__(self, fails: bool = False) -> None:
        self.begun, self.go, self.fails = Event(), Event(), fails

    def detect_language(self, windows: Any) -> list[list[tuple[str, float]]]:
        self.begun.set()
        self.go.wait(60)
        if self.fails:
            raise RuntimeError("out of memory")
        return [[("<|en|>", 1.0)]] * len(np.asarray(windows))


def test_each_batch_is_told_with_its_step_and_how_many_windows_it_had() -> None:
    waiting_count = 3
    told: list[tuple[str, int]] = []
    model = Languages()
    shared = SharedModel(
        model, model, 8, encodes_meanwhile=False, ran_together=lambda *batch: told.append(batch)
    )
    ready = Barrier(waiting_count + 1)

    def call(waits: bool) -> None:
        with shared.for_call(Event()) as mine:
            if waits:
                ready.wait(60)
            mine.detect_language(np.zeros((1, 2, 2), np.float32))

    first = Thread(target=call, args=(False,))
    first.start()
    assert model.begun.wait(60)
    others = [Thread(target=call, args=(True,)) for _ in range(waiting_count)]
    for one in others:
        one.start()
    ready.wait(60)
    model.go.set()
    for one in (first, *others):
        one.join(60)

    assert told[0] == ("detect_language", 1)
    assert sum(count for _, count in told) == 1 + waiting_count


def test_a_batch_that_failed_is_not_told() -> None:
    told: list[tuple[str, int]] = []
    model = Languages(fails=True)
    model.go.set()
    shared = SharedModel(
        model, model, 8, encodes_meanwhile=False, ran_together=lambda *batch: told.append(batch)
    )
    with shared.for_call(Event()) as mine, pytest.raises(RuntimeError):
        mine.detect_language(np.zeros((1, 2, 2), np.float32))

    assert told == []
