"""Pure: the summary of a session, from its answers' assessments alone, in the reader's language.

Every sentence names the answers that it rests on. Nothing is added that an assessment does not say, and
nothing that was seen or heard comes in. Only totals and criteria of answers that can be compared are averaged
(`totals.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.languages import base_language
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.scores import criterion_counts, total_score
from orchestrator.result.totals import Totals, is_complete, totals_of

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "read": "Answers that could be read: {read} of {total}. Answers with a total score: {scored}.",
        "mean": "The mean of the {averaged} totals over all criteria is {mean:.0f} of 100.",
        "one": "The total of answer {place} is {mean:.0f} of 100.",
        "partial": "Answer {place} has scores for {scored} of {total} criteria. Its total is not averaged, "
        "and not compared with others.",
        "rubrics": "The answers were judged by different rubrics. Their totals are not averaged.",
        "strongest": "Strongest: {name}, {mean:.0f} of 100 on average ({answers}).",
        "weakest": "Weakest: {name}, {mean:.0f} of 100 on average ({answers}).",
        "answer": "answer {place}",
        "without": "Answer {place} has no score: {reason}",
        "unknown": "it could not be judged.",
        "conclusion": "Answer {place}: {text}",
    },
    "id": {
        "read": "Jawaban yang dapat dibaca: {read} dari {total}. Jawaban dengan nilai total: {scored}.",
        "mean": "Rata-rata dari {averaged} nilai total atas semua kriteria adalah {mean:.0f} dari 100.",
        "one": "Nilai total jawaban {place} adalah {mean:.0f} dari 100.",
        "partial": "Jawaban {place} memiliki nilai untuk {scored} dari {total} kriteria. "
        "Nilai totalnya tidak dirata-ratakan, dan tidak dibandingkan dengan yang lain.",
        "rubrics": "Jawaban dinilai dengan rubrik yang berbeda. Nilai totalnya tidak dirata-ratakan.",
        "strongest": "Paling kuat: {name}, rata-rata {mean:.0f} dari 100 ({answers}).",
        "weakest": "Paling lemah: {name}, rata-rata {mean:.0f} dari 100 ({answers}).",
        "answer": "jawaban {place}",
        "without": "Jawaban {place} tidak memiliki nilai: {reason}",
        "unknown": "jawaban ini tidak dapat dinilai.",
        "conclusion": "Jawaban {place}: {text}",
    },
}
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class _Criterion:
    """A criterion over the answers that have a score for it."""

    name: str
    mean: float
    positions: tuple[int, ...]


def summarise(answers: Sequence[AnswerOutputs], reader_language: str) -> str:
    """Say in one text what the answers' assessments say.

    Args:
        answers: All answers of the session, in order.
        reader_language: Language of the text (BCP-47). Empty takes the one that most answers were given in.
            Languages without texts of their own get English.
    """
    texts = TEXTS.get(_language(answers, reader_language), TEXTS[DEFAULT_LANGUAGE])
    return " ".join(_sentences(totals_of(answers), texts))


def _sentences(totals: Totals, texts: Mapping[str, str]) -> Iterator[str]:
    yield from _numbers(totals, texts)
    criteria = sorted(_criteria(totals.averaged), key=lambda criterion: -criterion.mean)
    if len(criteria) > 1 and round(criteria[0].mean) > round(criteria[-1].mean):
        yield _extreme(texts, "strongest", criteria[0])
        yield _extreme(texts, "weakest", criteria[-1])
    for one in totals.assessed:
        if total_score(one) is None:
            reason = one.assessment.reason if one.assessment is not None else ""
            yield texts["without"].format(place=one.position, reason=reason or texts["unknown"])
    for one in totals.assessed:
        if one.assessment is not None and one.assessment.HasField("conclusion"):
            yield texts["conclusion"].format(place=one.position, text=one.assessment.conclusion)


def _numbers(totals: Totals, texts: Mapping[str, str]) -> Iterator[str]:
    read, scored = len(totals.assessed), len(totals.scored)
    yield texts["read"].format(read=read, total=totals.answer_count, scored=scored)
    if (average := totals.mean_total_score) is not None:
        averaged = totals.averaged
        key = "one" if len(averaged) == 1 else "mean"
        yield texts[key].format(averaged=len(averaged), place=averaged[0].position, mean=average)
    if totals.several_rubrics:
        yield texts["rubrics"]
    for one in totals.scored:
        if not is_complete(one):
            scored_count, count = criterion_counts(one)
            yield texts["partial"].format(place=one.position, scored=scored_count, total=count)


def _extreme(texts: Mapping[str, str], key: str, criterion: _Criterion) -> str:
    places = ", ".join(texts["answer"].format(place=place) for place in criterion.positions)
    return texts[key].format(name=criterion.name, mean=criterion.mean, answers=places)


def _criteria(answers: Sequence[AnswerOutputs]) -> Iterator[_Criterion]:
    """Yield each criterion over the answers, which all have a score for it."""
    scores: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    names: dict[str, str] = {}
    for one in answers:
        for criterion in one.assessment.criteria if one.assessment is not None else ():
            if criterion.HasField("score"):
                names.setdefault(criterion.id, criterion.name)
                scores[criterion.id].append((one.position, criterion.score))
    for identifier, found in scores.items():
        average = sum(score for _, score in found) / len(found)
        yield _Criterion(names[identifier], average, tuple(position for position, _ in found))


def _language(answers: Sequence[AnswerOutputs], reader_language: str) -> str:
    if reader_language:
        return base_language(reader_language)
    spoken = Counter(
        base_language(one.transcript.language_code)
        for one in answers
        if one.transcript is not None and one.transcript.language_code
    )
    return spoken.most_common(1)[0][0] if spoken else DEFAULT_LANGUAGE
