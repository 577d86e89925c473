"""Negations that a translation loses, and the many ways to say no that are none of a loss."""

from __future__ import annotations

import pytest

from benchmarks.translator.corpus import read_sentences
from services.translator.checks import doubts_of
from services.translator.job import Doubt
from services.translator.negation import is_negation_doubtful

LARGEST_FALSE_ALARM_SHARE = 0.02


@pytest.mark.parametrize(
    ("english", "indonesian"),
    [
        ("I didn't break it.", "Saya tidak merusaknya."),
        ("I didn’t break it.", "Bukan saya yang merusaknya."),
        ("I cannot swim.", "Saya tidak bisa berenang."),
        ("It was not only cheap but also fast.", "Itu bukan hanya murah, tetapi juga cepat."),
        ("I finished without help.", "Saya selesai tanpa bantuan."),
        ("I have never been late.", "Saya tidak pernah terlambat."),
        ("We failed to deliver.", "Kami gagal mengirim."),
        ("We failed to deliver.", "Kami tidak berhasil mengirim."),
        ("I no longer work there.", "Saya sudah tidak lagi bekerja di sana."),
        ("I stopped working there.", "Saya tidak lagi bekerja di sana."),
        ("It was impossible.", "Itu tidak mungkin."),
        ("It's not impossible.", "Itu bukan tidak mungkin."),
        ("I am unemployed.", "Saya tidak bekerja."),
        ("There was hardly any time.", "Hampir tidak ada waktu."),
        ("It works, doesn't it?", "Itu jalan, bukan?"),
        ("More or less.", "Kurang lebih."),
        ("We worked hard.", "Kami bekerja keras."),
    ],
)
def test_a_negation_that_is_kept_raises_no_doubt(english: str, indonesian: str) -> None:
    assert not is_negation_doubtful(english, indonesian, "en", "id")
    assert not is_negation_doubtful(indonesian, english, "id", "en")


@pytest.mark.parametrize(
    ("english", "indonesian"),
    [
        ("I didn't break it.", "Saya merusaknya."),
        ("I broke it.", "Saya tidak merusaknya."),
        ("I finished without help.", "Saya selesai dengan bantuan."),
        ("I have never been late.", "Saya pernah terlambat."),
        ("We failed to deliver.", "Kami berhasil mengirim."),
        ("I no longer work there.", "Saya bekerja di sana."),
        ("It was not only cheap but also fast.", "Itu tidak murah, tetapi cepat."),
        ("Nobody knew.", "Semua orang tahu."),
    ],
)
def test_a_negation_that_is_lost_or_added_is_doubted(english: str, indonesian: str) -> None:
    assert doubts_of(english, indonesian, "en", "id") == (Doubt.NEGATION_DOUBTFUL,)
    assert doubts_of(indonesian, english, "id", "en") == (Doubt.NEGATION_DOUBTFUL,)


@pytest.mark.parametrize("split", ["tuning", "test"])
def test_good_translations_of_spoken_sentences_are_seldom_doubted(split: str) -> None:
    sentences = [sentence for sentence in read_sentences() if sentence.split == split]

    doubted = [
        sentence.id
        for sentence in sentences
        if doubts_of(sentence.text, sentence.reference, sentence.source_language, sentence.target_language)
    ]

    assert len(sentences) >= 60
    assert len(doubted) <= LARGEST_FALSE_ALARM_SHARE * len(sentences)


def test_a_language_without_tables_is_not_doubted() -> None:
    assert not is_negation_doubtful("I didn't break it.", "Ich habe es kaputt gemacht.", "en", "de")
