"""What wording hints at, in plain, everyday and clipped English and Indonesian."""

from __future__ import annotations

import pytest

from services.assessor.cues import find_cues, read_cue_words
from services.assessor.sentences import Sentence

WORDS = read_cue_words()
QUESTION = "Tell me about a conflict with a colleague and how you dealt with it."


def cues(*texts: str, question: str = QUESTION) -> list[dict[str, float]]:
    return find_cues(WORDS, question, [Sentence(f"s{n}", text) for n, text in enumerate(texts, start=1)])


@pytest.mark.parametrize(
    "text",
    [
        "I took the old roller out.",
        "then we quickly rewired the panel",
        "The plan was redrawn by me.",
        "Saya pasang penstabil dan pindahkan kabelnya.",
        "aku bikin daftar baru malam itu",
        "terus gue cek kabelnya satu satu",
        "Kami mengganti pompanya.",
    ],
)
def test_a_deed_of_the_speaker_is_one_in_the_past_in_passives_and_in_everyday_words(text: str) -> None:
    assert cues(text)[0]["deed"] > 0


@pytest.mark.parametrize("text", ["Checked the log.", "Then swapped the disk.", "Langsung bongkar mesinnya."])
def test_a_clipped_sentence_tells_a_deed_without_a_subject(text: str) -> None:
    assert cues(text)[0]["deed_clipped"] > 0


def test_a_story_in_the_present_tense_has_deeds() -> None:
    assert cues("So I'm standing there and I tell him the pump is dead.")[0]["deed_now"] > 0.5


@pytest.mark.parametrize(
    "text",
    ["I believed in teamwork.", "I was a team player.", "Saya merasa cocok di sini.", "I learned a lot."],
)
def test_a_state_of_mind_is_no_deed(text: str) -> None:
    assert cues(text)[0]["deed"] == 0


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Last March the night shift was short of two people.", "time_once"),
        ("We had eleven patients on the ward.", "quantity"),
        ("Antreannya sampai dua ratus orang.", "quantity"),
        ("It was in the yard behind the kitchen.", "place"),
        ("Waktu itu hujan deras.", "time_once"),
    ],
)
def test_times_places_and_quantities_in_words_are_particulars(text: str, cue: str) -> None:
    found = cues(text)[0]
    assert found[cue] > 0
    assert found["particulars"] > 0


def test_a_name_inside_a_sentence_is_a_particular_and_the_speaker_is_none() -> None:
    assert cues("So then Karen moved to Leeds.")[0]["name"] > 0.5
    assert cues("So then I went home.")[0]["name"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "I took decisive action and achieved excellent results.",
        "Saya mengambil tindakan tegas dan hasilnya luar biasa.",
    ],
)
def test_a_claim_in_the_words_of_a_rubric_is_hollow_until_it_has_particulars(text: str) -> None:
    bare = cues(text)[0]["hollow"]
    told = cues(f"Last Tuesday in the kitchen Karen said 30 plates were missing and {text}")[0]["hollow"]
    assert bare > 0.3
    assert told < bare / 2


def test_the_question_read_back_is_an_echo_and_its_subject_in_a_story_is_none() -> None:
    read_back = cues("A conflict with a colleague and how I dealt with it.")[0]
    told = cues("My colleague hid the keys of the forklift under a crate for a week.")[0]
    assert read_back["echo"] > 0.6
    assert (told["echo"], told["topic"]) == (0.0, 0.5)


def test_without_a_question_nothing_is_read_back() -> None:
    found = cues("I took the roller out.", question="")[0]
    assert (found["echo"], found["topic"]) == (0, 0)


def test_what_is_said_again_is_a_repetition() -> None:
    first, second = cues("I solved the difficult problem quickly.", "I quickly solved the difficult problem.")
    assert (first["repeat"], second["repeat"]) == (0, 1)


def test_somebody_elses_deed_is_of_others() -> None:
    assert cues("My manager rewrote the whole rota.")[0]["of_others"] == 1
    assert cues("Rekan saya memperbaiki mesinnya.")[0]["of_others"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "Since then I ask before I touch anything.",
        "Never again without a second key.",
        "Sejak itu saya simpan kunci cadangan.",
        "dari situ gue jadi tahu",
    ],
)
def test_a_lesson_is_what_changed_since(text: str) -> None:
    assert cues(text)[0]["lesson"] > 0


@pytest.mark.parametrize("text", ["", "...", "我修复了服务器", "1 2 3", "🙂 " * 50, "a" * 5000])
def test_whatever_is_said_all_cues_are_shares(text: str) -> None:
    for found in cues(text, text):
        assert list(found) and set(found) == set(WORDS.names())
        assert all(0.0 <= value <= 1.0 for value in found.values())


def test_every_language_has_the_same_cues() -> None:
    assert all(pattern.pattern.strip("|") for pattern in WORDS.patterns.values())
