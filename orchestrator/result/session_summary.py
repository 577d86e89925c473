"""Pure: the summary of a session, from its answers' assessments alone, in the reader's language.

Every sentence names the answers that it rests on. Nothing is added that an assessment does not say, and
nothing that was seen or heard comes in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.languages import base_language
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.scores import total_score
from orchestrator.result.values import mean

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "scored": "{scored} of {total} answers could be scored",
        "mean": "; their mean is {mean:.0f} of 100",
        "strongest": "Strongest: {name}, {mean:.0f} of 100 on average ({answers}).",
        "weakest": "Weakest: {name}, {mean:.0f} of 100 on average ({answers}).",
        "answer": "answer {place}",
        "without": "Answer {place} has no score: {reason}",
        "unknown": "it could not be judged.",
        "conclusion": "Answer {place}: {text}",
    },
    "id": {
        "scored": "{scored} dari {total} jawaban dapat dinilai",
        "mean": "; rata-ratanya {mean:.0f} dari 100",
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
    places: tuple[int, ...]


def summarise(answers: Sequence[AnswerOutputs], reader_language: str) -> str:
    """Say in one text what the answers' assessments say.

    Args:
        answers: The answers that could be read, in order.
        reader_language: Language of the text (BCP-47); empty takes the one that most answers were given in.
            Languages without texts of their own get English.
    """
    texts = TEXTS.get(_language(answers, reader_language), TEXTS[DEFAULT_LANGUAGE])
    return " ".join(_sentences(answers, texts))


def _sentences(answers: Sequence[AnswerOutputs], texts: Mapping[str, str]) -> Iterator[str]:
    totals = [score for one in answers if (score := total_score(one)) is not None]
    head = texts["scored"].format(scored=len(totals), total=len(answers))
    average = mean(totals)
    yield head + (texts["mean"].format(mean=average) if average is not None else "") + "."
    criteria = sorted(_criteria(answers), key=lambda criterion: -criterion.mean)
    if len(criteria) > 1 and round(criteria[0].mean) > round(criteria[-1].mean):
        yield _extreme(texts, "strongest", criteria[0])
        yield _extreme(texts, "weakest", criteria[-1])
    for one in answers:
        if total_score(one) is None:
            reason = one.assessment.reason if one.assessment is not None else ""
            yield texts["without"].format(place=one.place, reason=reason or texts["unknown"])
    for one in answers:
        if one.assessment is not None and one.assessment.HasField("conclusion"):
            yield texts["conclusion"].format(place=one.place, text=one.assessment.conclusion)


def _extreme(texts: Mapping[str, str], key: str, criterion: _Criterion) -> str:
    places = ", ".join(texts["answer"].format(place=place) for place in criterion.places)
    return texts[key].format(name=criterion.name, mean=criterion.mean, answers=places)


def _criteria(answers: Sequence[AnswerOutputs]) -> Iterator[_Criterion]:
    """Yield each criterion that any answer has a score for; rubrics may share some."""
    scores: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    names: dict[str, str] = {}
    for one in answers:
        for criterion in one.assessment.criteria if one.assessment is not None else ():
            if criterion.HasField("score"):
                names.setdefault(criterion.id, criterion.name)
                scores[criterion.id].append((one.place, criterion.score))
    for identifier, found in scores.items():
        average = sum(score for _, score in found) / len(found)
        yield _Criterion(names[identifier], average, tuple(place for place, _ in found))


def _language(answers: Sequence[AnswerOutputs], reader_language: str) -> str:
    if reader_language:
        return base_language(reader_language)
    spoken = Counter(
        base_language(one.transcript.language_code)
        for one in answers
        if one.transcript is not None and one.transcript.language_code
    )
    return spoken.most_common(1)[0][0] if spoken else DEFAULT_LANGUAGE
