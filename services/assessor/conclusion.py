"""A conclusion: what is told, in the model's words, and what is missing, by the tags.

The model's sentence is kept only if it says nothing that the answer lacks. Numbers and names that do not
occur in the answer, or talk of levels, make the conclusion absent with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.chat_replies import without_thoughts
from chassis.deadline import Deadline
from chassis.errors import DeadlineError, ExhaustedError, PreconditionError, UnavailableError
from services.assessor.conversation import Conversation
from services.assessor.prompts import Language, Prompts
from services.assessor.tagging import batches
from services.assessor.tags import Tag, TaggedSentence

MAX_TOKENS = 80
"""A long sentence. They are what a conclusion costs: to write a token takes as long as to read four."""
RESERVE_S = 2.0
"""Kept of the caller's time, so that a slow conclusion never costs the levels that are there."""
MAX_CHARACTERS = 700
MAX_SENTENCES = 4

PARTS = {
    Tag.SITUATION: {"en": "a concrete situation", "id": "situasi yang konkret"},
    Tag.ACTION: {"en": "what the candidate did", "id": "apa yang dilakukan kandidat"},
    Tag.RESULT: {"en": "what came of it", "id": "apa hasilnya"},
    Tag.LESSON: {"en": "what was learnt or changed", "id": "apa yang dipelajari atau diubah"},
}
MISSING = {"en": "Not found in the answer", "id": "Tidak ditemukan dalam jawaban"}
ABSENT = {
    "failed": {
        "en": "The model gave no conclusion.",
        "id": "Model tidak memberikan kesimpulan.",
    },
    "unreadable": {
        "en": "The model's conclusion was cut off or too long.",
        "id": "Kesimpulan model terpotong atau terlalu panjang.",
    },
    "number": {
        "en": "The model's conclusion named a number that the answer lacks.",
        "id": "Kesimpulan model menyebut angka yang tidak ada dalam jawaban.",
    },
    "name": {
        "en": "The model's conclusion named somebody or something that the answer lacks.",
        "id": "Kesimpulan model menyebut nama yang tidak ada dalam jawaban.",
    },
    "verdict": {
        "en": "The model's conclusion spoke of a level or a score, which it must not.",
        "id": "Kesimpulan model menyebut tingkat atau skor, yang bukan wewenangnya.",
    },
    "denial": {
        "en": "The model's conclusion denied what the answer says.",
        "id": "Kesimpulan model menyangkal apa yang dikatakan dalam jawaban.",
    },
    "baseline": {
        "en": "No language model is configured. The baseline does not write a conclusion.",
        "id": "Tidak ada model bahasa yang dikonfigurasi. Metode dasar tidak menulis kesimpulan.",
    },
    "not_judged": {
        "en": "There is nothing that a conclusion could be drawn from.",
        "id": "Tidak ada yang dapat disimpulkan.",
    },
    "fallback": {
        "en": "The configured model failed. The baseline judged instead, and does not write a conclusion.",
        "id": "Model yang dikonfigurasi gagal. Metode dasar menilai sebagai gantinya tanpa kesimpulan.",
    },
}

NUMBER_WORDS = {
    word: str(value)
    for words, value in (
        (("two", "dua", "twice"), 2),
        (("three", "tiga"), 3),
        (("four", "empat"), 4),
        (("five", "lima"), 5),
        (("six", "enam"), 6),
        (("seven", "tujuh"), 7),
        (("eight", "delapan"), 8),
        (("nine", "sembilan"), 9),
        (("ten", "sepuluh"), 10),
        (("eleven", "sebelas"), 11),
        (("twelve", "dozen"), 12),
        (("fifteen",), 15),
        (("twenty",), 20),
        (("thirty",), 30),
        (("forty",), 40),
        (("fifty",), 50),
        (("sixty",), 60),
        (("seventy",), 70),
        (("eighty",), 80),
        (("ninety",), 90),
        (("hundred", "seratus", "ratus"), 100),
        (("thousand", "seribu", "ribu"), 1000),
        (("million", "juta"), 1_000_000),
        (("half", "setengah"), 0.5),
        (("percent", "persen"), 0.01),
    )
    for word in words
}
"""Number words but `one`, which is as often a pronoun."""
VERDICT = re.compile(
    r"\b(?:levels?|scores?|scored|rating|rated|points?|offtopic|skor|peringkat|nilai(?:nya)?)\b|[{}<>|]",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_OPENERS = """
the they their he she his her it its this that these those there a an in on at when while after before however
although overall though but and also no what candidate candidate's answer speaker i kandidat jawaban
jawabannya ia dia mereka pembicara namun tetapi tidak belum dalam di pada saat ketika setelah sebelum secara
meskipun walaupun akan hal ini itu yang ada selain meski sayangnya juga dengan untuk dari
"""
OPENERS = frozenset(_OPENERS.split())
"""Words that begin a sentence with a capital and name nothing."""


NEGATION = re.compile(
    r"\b(?:not|never|no|without|neither|tidak|tak|bukan|belum|tanpa)\b|n't\b", re.IGNORECASE
)
CONTENT_WORD_CHARACTERS = 4
"""Shorter words are articles, pronouns and prepositions in both languages."""
RETOLD_SHARE = 0.6
"""From this share of common content words on, a sentence of the conclusion retells one of the answer."""


@dataclass(frozen=True)
class Conclusion:
    """A conclusion, or a reason why there is none."""

    text: str | None
    absent_reason: str = ""


def absent(why: str, language: Language) -> Conclusion:
    """Give no conclusion for one of the reasons in `ABSENT`."""
    return Conclusion(None, ABSENT[why][language])


def conclude(
    conversation: Conversation,
    prompts: Prompts,
    question: str,
    sentences: Sequence[TaggedSentence],
    language: Language,
    deadline: Deadline,
) -> Conclusion:
    """Let the model sum up the tagged sentences, and say what is missing. A failing model costs this only."""
    shown = [item.sentence for item in _most_telling(sentences)]
    try:
        reply = conversation.ask(
            prompts.concluding(question, shown, language),
            schema=None,
            max_tokens=MAX_TOKENS,
            probabilities=False,
            deadline=deadline.shortened(RESERVE_S),
        )
    except (UnavailableError, PreconditionError, ExhaustedError, DeadlineError):
        return absent("failed", language)
    said = " ".join([question, *(item.sentence.text for item in sentences)])
    text = " ".join(without_thoughts(reply.text).split())
    flaw = (
        "unreadable" if reply.truncated or not text or len(text) > MAX_CHARACTERS else find_flaw(text, said)
    )
    return (
        absent(flaw, language)
        if flaw
        else Conclusion(f"{_ended(text)} {missing(sentences, language)}".strip())
    )


def missing(sentences: Sequence[TaggedSentence], language: Language) -> str:
    """Say which parts of an account no sentence was found to be. Empty where all are there."""
    present = {item.tag for item in sentences}
    parts = [texts[language] for tag, texts in PARTS.items() if tag not in present]
    return f"{MISSING[language]}: {', '.join(parts)}." if parts else ""


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def find_flaw(conclusion: str, said: str) -> str | None:
    """Find what disqualifies a conclusion, as a key of `ABSENT`. None where nothing does."""
    if VERDICT.search(conclusion):
        return "verdict"
    if not _numbers(conclusion) <= _numbers(said):
        return "number"
    words = {word.lower() for word in WORD.findall(said)}
    if any(name.lower() not in words for name in _names(conclusion)):
        return "name"
    if _denies(conclusion, said):
        return "denial"
    return "unreadable" if len(re.findall(r"[.!?](?:\s|$)", conclusion)) > MAX_SENTENCES else None


def _denies(conclusion: str, said: str) -> bool:
    """Tell whether it retells a sentence with a negation that the sentence lacks."""
    affirmed = [_content(sentence) for sentence in _sentences(said) if not NEGATION.search(sentence)]
    denied = [_content(sentence) for sentence in _sentences(conclusion) if NEGATION.search(sentence)]
    return any(
        words and len(words & told) >= RETOLD_SHARE * len(words) for words in denied for told in affirmed
    )


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


def _content(sentence: str) -> set[str]:
    words = {word.lower() for word in WORD.findall(sentence) if len(word) >= CONTENT_WORD_CHARACTERS}
    return words - {
        "candidate",
        "kandidat",
        "tidak",
        "bukan",
        "belum",
        "tanpa",
        "never",
        "without",
        "neither",
    }


def _most_telling(sentences: Sequence[TaggedSentence]) -> list[TaggedSentence]:
    """Take the sentences that fit one prompt: all of them, or else the parts of the story first."""
    if len(list(batches([item.sentence for item in sentences]))) > 1:
        sentences = [
            item for item in sentences if item.tag not in (Tag.OFFTOPIC, Tag.GENERAL, None)
        ] or sentences
    first, _ = next(batches([item.sentence for item in sentences]))
    return list(sentences[: len(first)])


def _numbers(text: str) -> set[str]:
    figures = {figure.replace(",", ".").rstrip(".") for figure in FIGURE.findall(text)}
    percent = {"0.01"} if "%" in text else set()
    return figures | percent | {NUMBER_WORDS[word] for word in _lower_words(text) if word in NUMBER_WORDS}


def _lower_words(text: str) -> list[str]:
    return [part for word in WORD.findall(text) for part in word.lower().split("-")]


def _names(text: str) -> list[str]:
    names = []
    for sentence in _sentences(text):
        words = WORD.findall(sentence)
        if words and words[0].lower() not in OPENERS:
            names += [word for word in words[:1] if word[0].isupper()]
        names += [
            word
            for word in words[1:]
            if word[0].isupper() and word.lower() not in ("i", "candidate", "kandidat")
        ]
    return names
