"""The DeepL backend without a network: how batches, languages and context are cut."""

from __future__ import annotations

import json

import pytest

from services.translator.deepl_backend import (
    MAX_REQUEST_BYTES,
    DeeplBackend,
    _bcp47,
    _context,
    _target,
)
from services.translator.job import Job


@pytest.fixture
def backend() -> DeeplBackend:
    return DeeplBackend("key", "http://127.0.0.1:1", 1.0)


def test_a_batch_has_at_most_fifty_texts(backend: DeeplBackend) -> None:
    batches = backend.batches(Job(("a",) * 101, "en", "id"), range(101))

    assert [len(batch) for batch in batches] == [50, 50, 1]


@pytest.mark.parametrize("text", ["a" * 10_000, "é" * 10_000, "😀" * 10_000])
def test_a_request_stays_under_deepls_limit_of_bytes(backend: DeeplBackend, text: str) -> None:
    job = Job((text,) * 30, "en", "id", context="c" * 10_000)

    for batch in backend.batches(job, range(30)):
        body = {"text": [job.texts[index] for index in batch], "context": _context(job, batch)}
        assert len(json.dumps(body)) < MAX_REQUEST_BYTES - 1024


def test_batches_cover_all_texts_in_order(backend: DeeplBackend) -> None:
    job = Job(tuple("x" * (index * 97 % 10_000) for index in range(300)), "en", "id")

    assert [index for batch in backend.batches(job, range(300)) for index in batch] == list(range(300))


def test_the_question_and_the_neighbours_are_the_context() -> None:
    job = Job(tuple("abcdefghij"), "en", "id", context="Why?")

    assert _context(job, range(4, 6)).split() == ["Why?", *"bcdefghi"]


def test_what_is_remembered_goes_along_as_context_and_not_as_text(backend: DeeplBackend) -> None:
    job = Job(tuple("abcdefghij"), "en", "id", context="Why?")
    (batch,) = backend.batches(job, (4, 6))

    assert [job.texts[index] for index in batch] == ["e", "g"]
    assert _context(job, batch).split() == ["Why?", *"bcdefghij"]


def test_a_translation_is_remembered_with_its_neighbours(backend: DeeplBackend) -> None:
    job = Job(tuple("abcdefghij"), "en", "id", context="Why?")

    assert backend.context_of(job, 5).split() == ["Why?", *"cdefghi"]


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("en", "EN-US"),
        ("en-GB", "EN-GB"),
        ("en-AU", "EN-US"),
        ("id", "ID"),
        ("id-ID", "ID"),
        ("pt_br", "PT-BR"),
        ("pt", "PT-PT"),
        ("zh-Hant", "ZH-HANT"),
        ("de-AT", "DE"),
    ],
)
def test_target_codes_are_those_that_deepl_takes(code: str, target: str) -> None:
    assert _target(code) == target


@pytest.mark.parametrize(
    ("code", "bcp47"), [("EN-US", "en-US"), ("ID", "id"), ("ZH-HANS", "zh-Hans"), ("ES-419", "es-419")]
)
def test_languages_are_listed_as_bcp47(code: str, bcp47: str) -> None:
    assert _bcp47(code) == bcp47
