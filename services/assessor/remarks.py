"""What people read about a criterion: what is there and what is missing, each with its sentences."""

from __future__ import annotations

from collections.abc import Sequence

from services.assessor.assessment import Remark
from services.assessor.injection import Exclusion
from services.assessor.levels import Level
from services.assessor.prompts import Language
from services.assessor.rubric import Criterion, RemarkRule
from services.assessor.tags import TaggedSentence

NO_EVIDENCE = {
    "en": "No sentence of the answer carries a judgement on this.",
    "id": "Tidak ada kalimat jawaban yang mendukung penilaian ini.",
}
TOO_UNSURE = {
    "en": "The kinds of the sentences are too uncertain for a level.",
    "id": "Jenis kalimatnya terlalu tidak pasti untuk menentukan tingkat.",
}
TOO_SHORT = {
    "en": "The answer is too short to be judged.",
    "id": "Jawaban terlalu pendek untuk dinilai.",
}
ALL_LEFT_OUT = {
    "en": "The sentences that speak to the evaluator are left out. Nothing is left to judge.",
    "id": "Tidak ada yang dapat dinilai setelah kalimat yang ditujukan kepada penilai dikeluarkan.",
}
LITTLE_JUDGED = {
    "en": "Too few of the criteria could be judged for a total.",
    "id": "Terlalu sedikit kriteria yang dapat dinilai untuk skor total.",
}
QUESTION_WORDS = {
    "en": "Repeats words of the question. Word lists can't tell whether it answers it.",
    "id": "Mengulang kata-kata pertanyaan. Daftar kata tidak dapat memastikan apakah menjawabnya.",
}
EXCLUDED = {
    Exclusion.SPEAKS_TO_EVALUATOR: {
        "en": "Left out, because it speaks to the evaluator.",
        "id": "Dikeluarkan: ditujukan kepada penilai.",
    },
    Exclusion.MACHINE_SYNTAX: {
        "en": "Left out, because it imitates a machine's messages.",
        "id": "Dikeluarkan: meniru pesan mesin.",
    },
    Exclusion.CLAIMS_ABOUT_ITSELF: {
        "en": "Left out, because it says what the answer holds instead of telling it.",
        "id": "Dikeluarkan: menyatakan isi jawaban, bukan menceritakannya.",
    },
}


def reader_language(*language_codes: str) -> Language:
    """Choose the language of what people read: that of the first code that is given. English otherwise."""
    code = next((code for code in language_codes if code), "")
    # Malay readers understand Indonesian better than English.
    return "id" if code.lower().split("-")[0] in ("id", "ms") else "en"


def make_remarks(
    criterion: Criterion, level: Level, sentences: Sequence[TaggedSentence], language: Language
) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    """Make the strengths and the gaps whose conditions the sentences fulfil."""
    if level.by_question_words:
        ids = tuple(item.sentence.id for item in level.evidence)
        return (Remark(QUESTION_WORDS[language], ids),), ()
    return _fulfilled(criterion.strengths, sentences, language), _fulfilled(
        criterion.gaps, sentences, language
    )


def _fulfilled(
    rules: Sequence[RemarkRule], sentences: Sequence[TaggedSentence], language: Language
) -> tuple[Remark, ...]:
    remarks = (_remark(rule, sentences, language) for rule in rules)
    return tuple(remark for remark in remarks if remark is not None)


def _remark(rule: RemarkRule, sentences: Sequence[TaggedSentence], language: Language) -> Remark | None:
    text = rule.text.in_language(language)
    if rule.without:
        return None if any(sentence.tag in rule.without for sentence in sentences) else Remark(text)
    found = tuple(sentence.sentence.id for sentence in sentences if sentence.tag in rule.when)
    enough = len(found) >= rule.from_share * len(sentences)
    return Remark(text, found) if found and enough else None
