"""Batches that a backend takes at the same time: their places, and a caller who gives up."""

from __future__ import annotations

import threading

import pytest

from chassis.errors import CancelledCallError
from services.translator.cache import TranslationCache
from services.translator.engine import Translator
from services.translator.job import Job, Translations
from tests.fakes.translator import FakeBackend


def translate(backend: FakeBackend, *texts: str, stop: threading.Event | None = None) -> Translations:
    translator = Translator(backend, 60.0, TranslationCache(max_characters=1_000_000, max_age_s=60.0))
    return translator.translate(Job(texts, "en", "id"), 60.0, stop or threading.Event())


def test_batches_are_translated_side_by_side_and_keep_their_places() -> None:
    together = threading.Barrier(3, timeout=20)

    def wait_for_the_others() -> None:
        together.wait()

    backend = FakeBackend(batch_size=1, calls_at_once=3, on_batch=wait_for_the_others)

    done = translate(backend, *"abcdef")

    assert [translation.text for translation in done.translations] == list("ABCDEF")


def test_a_caller_who_gives_up_stops_what_is_under_way_and_what_would_come_next() -> None:
    stop = threading.Event()
    backend = FakeBackend(batch_size=1, calls_at_once=2, on_batch=stop.set)

    with pytest.raises(CancelledCallError):
        translate(backend, *"abcdef", stop=stop)

    assert 1 <= len(backend.asked) <= 2


def test_a_batch_begins_as_soon_as_another_has_ended() -> None:
    backend = FakeBackend(batch_size=1, calls_at_once=2)
    all_others_ended = threading.Event()

    def hold_the_first() -> None:
        if len(backend.jobs) == 1:
            assert all_others_ended.wait(20)
        elif len(backend.jobs) == 4:
            all_others_ended.set()

    backend.on_batch = hold_the_first

    done = translate(backend, *"abcd")

    assert [translation.text for translation in done.translations] == list("ABCD")
