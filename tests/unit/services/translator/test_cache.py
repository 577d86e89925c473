"""What the translator remembers: the same is asked once, bounded in size and age, and never logged."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import pytest

from chassis.errors import UnavailableError
from chassis.model_info import ModelInfo
from services.translator.cache import ENTRY_CHARACTERS, Remembered, TranslationCache, key_of
from services.translator.engine import Translator
from services.translator.job import Formality, Job, Translation, Translations
from services.translator.unconfigured import UnconfiguredBackend
from tests.fakes.translator import FakeBackend

JOB = Job(("a", "b"), "en", "id", context="Why?")


class Bench:
    """A translator with a fake backend and a clock that a test sets."""

    def __init__(self, max_characters: int = 1_000_000, backend: FakeBackend | None = None) -> None:
        self.now_s = 0.0
        self.backend = backend or FakeBackend()
        self.cache = TranslationCache(max_characters, max_age_s=60.0, clock=lambda: self.now_s)
        self.translator = Translator(self.backend, 60.0, self.cache)

    def translate(self, job: Job) -> Translations:
        return self.translator.translate(job, 10.0, threading.Event())


def texts_of(done: Translations) -> list[str | None]:
    return [translation.text for translation in done.translations]


def test_identical_segments_are_asked_once_and_billed_once() -> None:
    bench = Bench()

    done = bench.translate(replace(JOB, texts=("yes", "no", "yes", " yes ", "no")))

    assert texts_of(done) == ["YES", "NO", "YES", "YES", "NO"]
    assert bench.backend.asked == ["yes", "no"]
    assert done.billed_character_count == 5


def test_a_job_again_asks_nobody_and_is_not_billed() -> None:
    bench = Bench()
    first = bench.translate(JOB)

    again = bench.translate(JOB)

    assert again.translations == first.translations
    assert (again.billed_character_count, again.model) == (0, first.model)
    assert bench.backend.asked == ["a", "b"]


def test_only_new_texts_of_a_job_are_asked_and_billed() -> None:
    bench = Bench()
    bench.translate(JOB)

    done = bench.translate(replace(JOB, texts=("c", "a", "", "d", "b")))

    assert texts_of(done) == ["C", "A", "", "D", "B"]
    assert bench.backend.asked == ["a", "b", "c", "d"]
    assert done.billed_character_count == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, source_language_code="de"),
        replace(JOB, target_language_code="de"),
        replace(JOB, formality=Formality.PREFER_MORE),
        replace(JOB, glossary_id="g1"),
        replace(JOB, context="How?"),
    ],
)
def test_whatever_changes_a_translation_is_asked_anew(other: Job) -> None:
    bench = Bench()
    bench.translate(JOB)
    bench.translate(other)

    assert bench.backend.asked == ["a", "b", "a", "b"]


def test_another_model_is_asked_anew() -> None:
    bench = Bench()
    bench.translate(JOB)
    bench.backend.model_name = "another"

    assert bench.translate(JOB).model.name == "another"
    assert len(bench.backend.asked) == 4


def test_a_model_that_is_named_by_its_first_answer_is_remembered_by_that_name() -> None:
    backend = FakeBackend(model_name="")
    backend.on_batch = lambda: setattr(backend, "model_name", "named")
    bench = Bench(backend=backend)
    bench.translate(JOB)
    bench.translate(JOB)

    assert backend.asked == ["a", "b"]


def test_the_parts_of_a_key_do_not_run_into_each_other() -> None:
    model = ModelInfo("m", "1")

    assert key_of(JOB, "ab", "c", "llm", model) != key_of(JOB, "a", "bc", "llm", model)
    assert key_of(JOB, "\ud800", "", "llm", model)  # half a character is no reason to fail


def test_what_is_old_is_asked_anew() -> None:
    bench = Bench()
    bench.translate(JOB)
    bench.now_s = 61.0
    bench.translate(JOB)

    assert len(bench.backend.asked) == 4


def test_the_cache_stays_within_its_size_and_forgets_what_was_not_asked_for() -> None:
    bench = Bench(max_characters=2 * (ENTRY_CHARACTERS + 1))
    for text in ("a", "b", "a", "c", "a", "b"):
        bench.translate(replace(JOB, texts=(text,)))

    assert bench.backend.asked == ["a", "b", "c", "b"]


def test_a_text_that_is_larger_than_the_cache_is_not_remembered() -> None:
    bench = Bench(max_characters=ENTRY_CHARACTERS)
    for _ in range(2):
        bench.translate(JOB)

    assert len(bench.backend.asked) == 4


def test_a_translation_that_failed_is_not_remembered() -> None:
    failure = UnavailableError("Down.", reason="TRANSLATOR_UNAVAILABLE")
    bench = Bench(backend=FakeBackend(batch_size=1, failure=failure, failing_from=1))
    first = bench.translate(JOB)
    bench.backend.failure = None

    assert texts_of(first) == ["A", None]
    assert texts_of(bench.translate(JOB)) == ["A", "B"]
    assert bench.backend.asked == ["a", "b"]


def test_without_a_backend_nothing_is_remembered() -> None:
    cache = TranslationCache(1_000_000, 60.0)
    done = Translator(UnconfiguredBackend(), 60.0, cache).translate(JOB, 10.0, threading.Event())

    assert texts_of(done) == [None, None]
    assert cache.recall(key_of(JOB, "a", "", "none", ModelInfo())) is None


def test_callers_at_the_same_time_do_not_break_the_accounting() -> None:
    cache = TranslationCache(20 * (ENTRY_CHARACTERS + 2), 60.0)

    def use(begin: int) -> None:
        for number in range(begin, begin + 200):
            key = (number % 50).to_bytes(2, "big")
            cache.keep(key, Remembered(Translation(f"{number % 50:02}"), ModelInfo()))
            cache.recall(key)

    threads = [threading.Thread(target=use, args=(begin,)) for begin in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = [number for number in range(50) if cache.recall(number.to_bytes(2, "big"))]
    assert len(kept) == 20


def test_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench = Bench()
    for _ in range(2):
        bench.translate(replace(JOB, texts=("what the candidate said",)))

    assert caplog.text == ""
