"""What is certainly wrong about a model's translation, and what is not."""

from __future__ import annotations

import pytest

from services.translator.checks import fault_of

SAID = "In 2019 I led a team of 5 people and we cut the waiting time by 40%."
MEANT = "Pada tahun 2019 saya memimpin tim berisi 5 orang dan kami mengurangi waktu tunggu sebesar 40%."


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        (SAID, MEANT),
        (SAID, MEANT.replace("5 orang", "lima orang")),
        ("It cost 1,200.50 dollars.", "Biayanya 1.200,50 dolar."),
        ("We had twenty-five users.", "Kami punya 25 pengguna."),
        ("Yes.", "Ya."),
        ("Python, Docker.", "Python, Docker."),
        ("Thank you very much.", "Terima kasih banyak."),
        ("2019", "2019"),
    ],
)
def test_a_fair_translation_passes(source: str, translation: str) -> None:
    assert fault_of(source, translation, "en", "id") is None


@pytest.mark.parametrize(
    ("source", "translation", "fault"),
    [
        (SAID, "", "empty"),
        (SAID, SAID, "repeats"),
        (SAID, SAID.lower().replace(".", "!"), "repeats"),
        (SAID, MEANT.replace("40", "14"), "number of the original is missing"),
        (SAID, MEANT.replace("2019", "dua ribu"), "number of the original is missing"),
        (f"{SAID} {SAID.replace('40', '30')}", "Tahun 2019: 5, 40, 30.", "length"),
        (SAID, MEANT * 4, "length"),
        (
            "I worked hard for the team.",
            "Saya bekerja keras selama 7 tahun.",
            "number that the original lacks",
        ),
        (SAID, "In 2019, I was the leader of 5 persons, we reduced waiting by 40%.", "not in the language"),
    ],
)
def test_what_can_not_be_a_translation_is_named(source: str, translation: str, fault: str) -> None:
    assert fault in (fault_of(source, translation, "en", "id") or "")


# What a 1.5B model made of two segments in a row: the first took the second's meaning along.
MERGED = (
    "After 3 months, the delay dropped from 18% to 6%, and I learned that we had to talk to people first "
    "before changing anything."
)


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("Setelah 3 bulan, keterlambatan turun dari 18 menjadi 6 persen.", MERGED),
        (
            "Dan saya belajar bahwa kita harus bicara dengan orang dulu sebelum mengubah apa pun.",
            "That's all, thank you.",
        ),
    ],
)
def test_merged_segments_are_seen_by_their_length(source: str, translation: str) -> None:
    assert "length" in (fault_of(source, translation, "id", "en") or "")


def test_a_language_with_another_script_may_differ_more_in_length() -> None:
    source = "I joined the warehouse team and replaced the broken scanners."

    assert fault_of(source, "我加入了仓库团队，更换了坏掉的扫描仪。", "en", "zh") is None


def test_indonesian_to_english_is_checked_as_well() -> None:
    assert fault_of(MEANT, SAID, "id", "en") is None
    assert "number" in (fault_of(MEANT, SAID.replace("40", "50"), "id", "en") or "")


def test_a_language_whose_number_words_are_unknown_may_gain_digits() -> None:
    assert (
        fault_of("Ich habe sieben Jahre dort gearbeitet.", "I worked there for 7 years.", "de", "en") is None
    )


# What a 1.5B model made of it.
HALF_CHINESE = "Saya bekerja di sini selama tiga dan半 tahun sebelum saya pindah ke Bandung."


def test_letters_of_another_script_are_not_passed_on() -> None:
    source = "I worked there for three and a half years before I moved to Bandung."

    assert "script" in (fault_of(source, HALF_CHINESE, "en", "id") or "")
    assert fault_of("We say 半 for a half.", "Kami bilang 半 untuk setengah.", "en", "id") is None
