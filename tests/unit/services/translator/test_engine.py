"""The translator's engine with a fake backend: order, number, limits, failures on the way."""

from __future__ import annotations

import threading
import time

import pytest

from chassis.deadline import Deadline
from chassis.errors import (
    CancelledCallError,
    DeadlineError,
    ExhaustedError,
    InterviewError,
    InvalidInputError,
    PreconditionError,
    UnavailableError,
)
from chassis.retrying import retried
from services.translator.cache import TranslationCache
from services.translator.engine import MAX_TEXT_CHARACTERS, MAX_TEXTS, Translator
from services.translator.job import Job, Outcome, Translations
from services.translator.unconfigured import UnconfiguredBackend
from tests.fakes.translator import FailingOn, FakeBackend


def fresh_cache() -> TranslationCache:
    return TranslationCache(max_characters=1_000_000, max_age_s=60.0)


def translate(
    backend: FakeBackend | UnconfiguredBackend,
    *texts: str,
    source: str = "en",
    target: str = "id",
    timeout_s: float | None = 10.0,
    stop: threading.Event | None = None,
) -> Translations:
    translator = Translator(backend, 60.0, fresh_cache())
    return translator.translate(Job(texts, source, target), timeout_s, stop or threading.Event())


def texts_of(done: Translations) -> list[str | None]:
    return [translation.text for translation in done.translations]


def test_each_text_keeps_its_place_over_batches() -> None:
    done = translate(FakeBackend(batch_size=2), "a", "b", "c", "d", "e")

    assert texts_of(done) == ["A", "B", "C", "D", "E"]
    assert done.billed_character_count == 5
    assert done.model.name == "fake"


def test_empty_texts_stay_empty_and_cost_nothing() -> None:
    backend = FakeBackend()

    done = translate(backend, "", "a", "   ", "…", "b")

    assert texts_of(done) == ["", "A", "", "…", "B"]
    assert backend.jobs[0].texts == ("a", "b")


def test_nothing_to_translate_asks_no_backend() -> None:
    backend = FakeBackend(failure=UnavailableError("down", reason="TRANSLATOR_UNAVAILABLE"))

    assert texts_of(translate(backend, "", " ")) == ["", ""]
    assert translate(backend).translations == ()


@pytest.mark.parametrize(("source", "target"), [("en", "en"), ("en-US", "EN_gb"), ("id", "id-ID")])
def test_the_same_language_is_answered_without_a_backend(source: str, target: str) -> None:
    backend = FakeBackend()

    done = translate(backend, " said so ", source=source, target=target)

    assert texts_of(done) == [" said so "]
    assert done.model.name == ""
    assert done.billed_character_count == 0
    assert backend.jobs == []


def test_without_a_backend_every_translation_is_absent_and_says_what_to_set() -> None:
    done = translate(UnconfiguredBackend(), "a", "", "b")

    assert texts_of(done) == [None, "", None]
    assert done.translations[0].outcome is Outcome.NOT_CONFIGURED
    assert "DEEPL_API_KEY" in done.translations[0].reason


@pytest.mark.parametrize(
    ("job", "reason", "field"),
    [
        (Job(("a",) * (MAX_TEXTS + 1), "en", "id"), "TEXTS_TOO_MANY", "texts"),
        (Job(("a", "b" * (MAX_TEXT_CHARACTERS + 1)), "en", "id"), "TEXT_TOO_LONG", "texts[1]"),
        (Job(("a",), "en", "id", context="c" * 10_001), "TEXT_TOO_LONG", "context"),
        (Job(("a",), "en", "id", glossary_id="g" * 129), "GLOSSARY_REFUSED", "glossary_id"),
        (Job(("a",), "", "id"), "LANGUAGE_CODE_INVALID", "source_language_code"),
        (Job(("a",), "en", "indonesian please"), "LANGUAGE_CODE_INVALID", "target_language_code"),
        (Job(("a",), "en\n", "id"), "LANGUAGE_CODE_INVALID", "source_language_code"),
    ],
)
def test_a_wrong_job_is_refused_with_its_field(job: Job, reason: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Translator(FakeBackend(), 60.0, fresh_cache()).translate(job, 10.0, threading.Event())

    assert caught.value.reason == reason
    assert list(caught.value.fields) == [field]


def test_the_largest_job_is_taken() -> None:
    done = translate(FakeBackend(), *(["a"] * MAX_TEXTS))

    assert len(done.translations) == MAX_TEXTS


@pytest.mark.parametrize(
    "failure",
    [
        ExhaustedError("Used up.", reason="TRANSLATOR_QUOTA_EXCEEDED"),
        PreconditionError("Wrong key.", reason="TRANSLATOR_AUTH_FAILED"),
        UnavailableError("Down.", reason="TRANSLATOR_UNAVAILABLE"),
    ],
)
def test_a_failure_before_anything_is_translated_fails_the_job(failure: ExhaustedError) -> None:
    with pytest.raises(type(failure)):
        translate(FakeBackend(failure=failure), "a")


def test_a_failure_on_the_way_keeps_what_was_paid_for() -> None:
    failure = ExhaustedError("Used up.", reason="TRANSLATOR_QUOTA_EXCEEDED")

    done = translate(FakeBackend(batch_size=2, failure=failure, failing_from=1), "a", "b", "c", "", "d")

    assert texts_of(done) == ["A", "B", None, "", None]
    assert {done.translations[2].outcome, done.translations[4].outcome} == {Outcome.SERVICE_UNAVAILABLE}
    assert done.translations[2].reason == "Used up."
    assert done.billed_character_count == 2


def test_a_deadline_on_the_way_keeps_what_is_done() -> None:
    pauses_s = iter((0.0, 0.5))

    done = translate(
        FakeBackend(batch_size=1, on_batch=lambda: time.sleep(next(pauses_s))), "a", "b", "c", timeout_s=0.5
    )

    assert texts_of(done) == ["A", "B", None]
    assert "time was over" in done.translations[2].reason


def test_a_deadline_that_has_passed_is_a_deadline_error() -> None:
    with pytest.raises(DeadlineError):
        translate(FakeBackend(), "a", timeout_s=0.0)


def test_a_job_without_a_deadline_gets_the_default_one() -> None:
    backend = FakeBackend()

    translate(backend, "a", timeout_s=None)

    assert 59.0 < backend.remaining_s[0] < 60.0


def test_a_caller_who_gave_up_stops_the_next_batch() -> None:
    stop = threading.Event()
    backend = FakeBackend(batch_size=1, on_batch=stop.set)

    with pytest.raises(CancelledCallError):
        translate(backend, "a", "b", stop=stop)

    assert len(backend.jobs) == 1


def test_only_what_is_unavailable_is_repeated() -> None:
    attempts: list[float] = []

    def failing_once() -> str:
        attempts.append(0.0)
        if len(attempts) == 1:
            raise UnavailableError("busy", reason="TRANSLATOR_UNAVAILABLE")
        return "done"

    assert retried(failing_once, Deadline(5.0)) == "done"
    assert len(attempts) == 2


def test_a_pause_that_would_outlast_the_deadline_is_not_begun() -> None:
    def down() -> str:
        raise UnavailableError("down", reason="TRANSLATOR_UNAVAILABLE")

    begin_s = time.monotonic()
    with pytest.raises(UnavailableError):
        retried(down, Deadline(0.2))

    assert time.monotonic() - begin_s < 0.15


def test_capabilities_name_backend_model_and_languages() -> None:
    known = Translator(FakeBackend(), 60.0, fresh_cache()).capabilities(5.0, threading.Event())

    assert (known.backend, known.model.name, known.languages.target_codes) == (
        "fake",
        "fake",
        ("en-US", "id"),
    )


def test_without_a_backend_the_capabilities_are_empty() -> None:
    known = Translator(UnconfiguredBackend(), 60.0, fresh_cache()).capabilities(None, threading.Event())

    assert known.backend == "none"
    assert known.languages.source_codes == ()


UNREADABLE = UnavailableError("Can't be read.", reason="MODEL_REPLY_INVALID")
TOO_LONG = PreconditionError("Too long.", reason="MODEL_CONTEXT_EXCEEDED")
DOWN = UnavailableError("Down.", reason="MODEL_UNAVAILABLE")


@pytest.mark.parametrize("failure", [UNREADABLE, TOO_LONG, DOWN])
@pytest.mark.parametrize("bad", ["a", "b", "c"])
def test_one_bad_segment_is_absent_and_the_others_stay(failure: InterviewError, bad: str) -> None:
    done = translate(FailingOn({bad: failure}), "a", "b", "c")

    assert texts_of(done) == [None if text == bad else text.upper() for text in ("a", "b", "c")]
    absent = done.translations["abc".index(bad)]
    assert (absent.outcome, absent.reason) == (Outcome.SERVICE_UNAVAILABLE, failure.message)
    assert done.model.name == "fake"


def test_a_server_that_is_down_is_not_asked_for_every_segment() -> None:
    backend = FailingOn(dict.fromkeys("bcdef", DOWN))

    done = translate(backend, *"abcdef")

    assert texts_of(done) == ["A", None, None, None, None, None]
    assert backend.asked == ["a", "b", "c"]


def test_a_model_whose_replies_are_never_readable_is_given_up() -> None:
    backend = FailingOn(dict.fromkeys("abcdefgh", UNREADABLE))

    with pytest.raises(UnavailableError):
        translate(backend, *"abcdefgh")

    assert backend.asked == ["a", "b", "c", "d", "e"]


def test_one_that_fails_beside_others_is_absent_and_the_others_stay() -> None:
    backend = FailingOn({"b": UNREADABLE})
    backend.calls_at_once = 3

    done = translate(backend, *"abcde")

    assert texts_of(done) == ["A", None, "C", "D", "E"]


def test_a_server_that_is_down_is_asked_for_no_more_than_those_that_are_under_way() -> None:
    backend = FailingOn(dict.fromkeys("abcdefgh", DOWN))
    backend.calls_at_once = 3

    with pytest.raises(UnavailableError):
        translate(backend, *"abcdefgh")

    assert 2 <= len(backend.asked) <= 4  # two that fail, and two that were under way by then
