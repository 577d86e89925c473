"""Translations that are doubted: asked for once more, and shown with their doubts rather than lost."""

from __future__ import annotations

import pytest

from chassis.deadline import Deadline
from chassis.errors import UnavailableError
from services.translator.job import Doubt, Job, Translation
from services.translator.llm_backend import LlmBackend
from tests.fakes.translator import FakeChat

JOB = Job(("I didn't break it.",), "en", "id")
SURE, DOUBTED = "Saya tidak merusaknya.", "Saya yang merusaknya."


def translated(*replies: str | Exception) -> Translation:
    chat = FakeChat([reply if isinstance(reply, Exception) else {"1": reply} for reply in replies])
    (translation,) = LlmBackend(chat, ("en", "id"), 1, 1500).translate(JOB, (0,), Deadline(5.0)).translations
    assert chat.replies == []
    return translation


def test_a_second_try_that_is_surer_is_taken() -> None:
    assert translated(DOUBTED, SURE) == Translation(SURE)


@pytest.mark.parametrize(
    "second", ["Saya merusaknya.", "", UnavailableError("It is away.", reason="MODEL_UNAVAILABLE")]
)
def test_what_stays_doubtful_is_shown_with_its_doubt(second: str | Exception) -> None:
    assert translated(DOUBTED, second) == Translation(DOUBTED, doubts=(Doubt.NEGATION_DOUBTFUL,))


def test_a_doubted_second_try_is_better_than_none() -> None:
    assert translated("", DOUBTED) == Translation(DOUBTED, doubts=(Doubt.NEGATION_DOUBTFUL,))


def test_what_is_sure_is_asked_for_once() -> None:
    assert translated(SURE).is_sure
