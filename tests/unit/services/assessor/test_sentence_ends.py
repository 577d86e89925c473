"""Which full stops end a sentence: degrees, titles, money, numbers and real ends."""

from __future__ import annotations

import pytest

from services.assessor.answer import Segment
from services.assessor.sentences import split_sentences


def count(said: str) -> int:
    return len(split_sentences([Segment(said)]))


@pytest.mark.parametrize(
    "said",
    [
        "Saya lulus dari Univ. Indonesia dengan gelar S.T. dan M.T. pada 2019.",
        "Gaji saya Rp. 5.000.000 per bulan.",
        "I hold a Ph.D. from Bandung and a B.Sc. in physics.",
        "She has a B.Sc. Computer Science degree.",
        "Pembimbing saya dr. Ratna Dewi, S.Kom. M.Kom. dari Jakarta.",
        "Kantor kami di Jl. Sudirman No. 5 dekat Univ. Trisakti.",
        "I lived in room No. 12 on the second floor.",
        "Saya memberikan no. telepon saya kepada mereka.",
        "Saya bekerja di CV. Maju Jaya sejak lulus.",
        "My mentor was John F. Kennedy of the U.S. Embassy.",
        "Rapatnya hal. 5 sampai hlm. 7 dari laporan itu.",
        "Bpk. Joko dan Ny. Sari dari PT. Maju Tbk. hadir.",
    ],
)
def test_an_abbreviation_does_not_end_its_sentence(said: str) -> None:
    assert count(said) == 1


@pytest.mark.parametrize(
    "said",
    [
        "They asked me to stop and I said no. We went on.",
        "My boss said no. Customers were angry.",
        "no. we tried again until it worked",
        "I finished my Ph.D. Then I joined a bank.",
        "Saya meraih gelar S.T. Setelah itu saya bekerja.",
        "We took plan B. It worked.",
        "Saya mengirim CV. Mereka menelepon saya.",
        "Saya belajar banyak hal. Tim saya juga.",
        "I wrote it in Vue.js. Customers liked it.",
        "We left at 5 p.m. Customers were waiting.",
        "It was my brother and I. We opened a shop.",
    ],
)
def test_a_real_end_is_one_even_where_the_word_could_be_an_abbreviation(said: str) -> None:
    assert count(said) == 2
