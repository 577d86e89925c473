"""The assessor's sentences: what is cut where, and which times they get."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessor.answer import Segment, Word
from services.assessor.sentences import LONGEST_WORDS, split_sentences

QUICK = settings(max_examples=50, deadline=None)  # a busy machine is no failure


def texts(*segments: str) -> list[str]:
    return [sentence.text for sentence in split_sentences([Segment(text) for text in segments])]


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("I asked. She agreed.", 2),
        ("I met Dr. Sari and Mr. Wong at 9 a.m. on Friday.", 1),
        ("We left at 5 p.m. The shop was closed.", 2),
        ("The rate rose to 3.5 percent. It stayed there.", 2),
        ("It rose to 3. 5 percent in May.", 1),
        ("We used forms, lists, etc. in the shop.", 1),
        ("Kami membeli meja, kursi, dll. Setelah itu kami pulang.", 2),
        ("Saya bertemu Bpk. Joko di PT. Maju.", 1),
        ('She said "stop!" Then I left.', 2),
        ("What did I do? I called him!", 2),
        ("我修复了服务器。然后我写了报告。", 2),
        ("", 0),
        ("   \n ", 0),
    ],
)
def test_full_stops_end_sentences_and_abbreviations_do_not(said: str, count: int) -> None:
    assert len(texts(said)) == count


def test_a_sentence_may_run_over_several_segments() -> None:
    assert texts("I wrote a plan", "and showed it to the team. They", "liked it.") == [
        "I wrote a plan and showed it to the team.",
        "They liked it.",
    ]


def test_a_sentence_has_the_times_of_its_first_and_last_word() -> None:
    words = (Word("I", 1.0, 1.1), Word("asked.", 1.2, 1.6), Word("She", 2.5, 2.7), Word("left.", 2.8, 3.1))

    first, second = split_sentences([Segment("ignored", words, 0.0, 9.0)])

    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (1.0, 1.6, 2.5, 3.1)


def test_without_word_times_a_sentence_lies_somewhere_in_its_segment() -> None:
    first, second = split_sentences([Segment("I asked. She left.", start_s=4.0, end_s=7.0)])

    assert (first.start_s, first.end_s) == (second.start_s, second.end_s) == (4.0, 7.0)


def test_a_written_answer_has_no_times() -> None:
    (sentence,) = split_sentences([Segment("I asked.")])

    assert sentence.start_s is None
    assert sentence.end_s is None


def test_speech_without_punctuation_is_cut_at_its_longest_pause() -> None:
    words = [Word(f"word{n}", float(n), n + 0.9) for n in range(12)]
    words += [Word(f"word{n}", n + 2.0, n + 2.9) for n in range(12, 24)]

    first, second = split_sentences([Segment("", tuple(words))])

    assert (first.word_count(), second.word_count()) == (12, 12)


def test_without_pauses_it_is_cut_before_a_joining_word() -> None:
    first, second = texts(
        "we looked at the old plan for a long while and " * 1
        + "then we asked the people who had made it before us"
    )

    assert second.startswith(("and", "then", "who"))
    assert first.endswith(("and", "while", "it"))


@QUICK
@given(st.lists(st.text(max_size=200), max_size=8))
def test_no_word_is_lost_and_ids_count_from_one(said: list[str]) -> None:
    sentences = split_sentences([Segment(text) for text in said])

    assert "".join("".join(s.text.split()) for s in sentences) == "".join("".join(t.split()) for t in said)
    assert [sentence.id for sentence in sentences] == [f"s{n}" for n in range(1, len(sentences) + 1)]
    assert all(sentence.word_count() <= LONGEST_WORDS for sentence in sentences)


def test_without_punctuation_the_edge_of_a_segment_is_a_place_to_cut() -> None:
    said = [
        "on the second night the big oven went cold in the middle of a batch",
        "my hands knew the burner so the cover came off within a minute or two",
    ]

    assert texts(*said) == said


def test_everyday_indonesian_is_cut_before_its_own_joining_words() -> None:
    first, second = texts(
        "malam itu gensetnya tiba tiba mati waktu tamunya lagi ramai banget terus gue cek selangnya satu "
        "satu sama anak anak pakai senter"
    )

    assert first.endswith("banget")
    assert second.startswith("terus gue")
