"""Texts that say the same are spelled the same before words are counted."""

from __future__ import annotations

import pytest

from benchmarks.transcriber.clips import word_errors
from benchmarks.transcriber.spelling import as_said, number_said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("17 Agustus 1945", "tujuh belas agustus seribu sembilan ratus empat puluh lima"),
        ("Rp 5.000.000", "lima juta rupiah"),
        ("Rp5 juta", "lima juta rupiah"),
        ("gaji 2,5 juta", "gaji dua koma lima juta"),
        ("naik 10%", "naik sepuluh persen"),
        ("Budi, S.Kom., bekerja di PT Maju", "budi skom bekerja di pt maju"),
        ("Kualitas HP ini", "kualitas hape ini"),
        ("Hal-hal lain, dll.", "hal hal lain dan lain lain"),
        ("111 orang", "seratus sebelas orang"),
        ("Jum’at", "jum'at"),
    ],
)
def test_indonesian_is_spelled_as_it_is_said(written: str, said: str) -> None:
    assert as_said(written, "id") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Mr. Thornton", "mister thornton"),
        ("$1,200", "one thousand two hundred dollars"),
        ("$3 million", "three million dollars"),
        ("in 1961 and 1905", "in nineteen sixty one and nineteen oh five"),
        ("2,024 words", "two thousand twenty four words"),
        ("95% of 3.5", "ninety five percent of three point five"),
        ("a B.Sc. degree", "a bsc degree"),
        ("the U.S. market", "the us market"),
        ("twenty-one", "twenty one"),
    ],
)
def test_english_is_spelled_as_it_is_said(written: str, said: str) -> None:
    assert as_said(written, "en") == said


def test_no_word_of_a_mixed_sentence_is_lost() -> None:
    mixed = "Saya lulusan S.Kom. dan punya 3 tahun experience sebagai software engineer di PT Telkom."

    assert as_said(mixed, "id") == (
        "saya lulusan skom dan punya tiga tahun experience sebagai software engineer di pt telkom"
    )


def test_a_sentence_ends_at_its_point() -> None:
    assert as_said("Saya di PT. Maju. Ya.", "id") == "saya di pt maju ya"
    assert as_said("It is so. He left.", "en") == "it is so he left"


@pytest.mark.parametrize("language_code", ["en", "id"])
def test_every_number_has_words(language_code: str) -> None:
    said = {number_said(number, language_code) for number in range(2000)}

    assert len(said) == 2000


def test_another_spelling_is_no_error() -> None:
    said, written = "tujuh belas Agustus", "17 Agustus."

    assert word_errors([as_said(said, "id")], [as_said(written, "id")]) == 0.0


def test_other_languages_keep_their_numbers() -> None:
    assert as_said("¿Tiene 3 años?", "es") == "tiene 3 años"
