"""Assesses one answer: sentences, what each of them is, levels by rule, remarks, a conclusion.

Every level has its sentences. Where there are none, there is no level. Nothing seen or heard comes in
here, so that nothing seen or heard can move a score.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chassis.deadline import Deadline
from chassis.errors import ExhaustedError, PreconditionError, UnavailableError
from chassis.model_info import ModelInfo
from services.assessor import remarks
from services.assessor.answer import Answer, check_answer
from services.assessor.assessment import Assessment, CriterionAssessment, Method, Outcome
from services.assessor.conclusion import absent
from services.assessor.injection import Exclusion, find_exclusions
from services.assessor.judging import BaselineJudge, Judged, ModelJudge, rubric_provenance
from services.assessor.prompts import Language
from services.assessor.rubric import Criterion, Rubric, choose_rubric
from services.assessor.sentences import Sentence, split_sentences
from services.assessor.tags import TaggedSentence

logger = logging.getLogger(__name__)

LEAST_WORDS = 5
"""A shorter answer is not judged and never reaches a model."""
LEAST_JUDGED_WEIGHT = 0.5
"""A total needs criteria of at least this share of the rubric's weight."""


class Assessor:
    """Judges answers by rubrics.

    Args:
        model_judge: Judges by a language model. None where none is configured.
        baseline_judge: Judges where there is no model.
        rubrics: The rubrics by id.
        language_codes: The languages whose prompts exist.
        fallback_to_baseline: Whether the baseline may stand in for a model that fails.
        find_exclusions: Says by id which sentences are left out before anything is asked.
    """

    def __init__(
        self,
        *,
        model_judge: ModelJudge | None,
        baseline_judge: BaselineJudge,
        rubrics: Mapping[str, Rubric],
        language_codes: Sequence[str],
        fallback_to_baseline: bool = False,
        find_exclusions: Callable[[Sequence[Sentence]], Mapping[str, Exclusion]] = find_exclusions,
    ) -> None:
        self._model_judge = model_judge
        self._baseline_judge = baseline_judge
        self._rubrics = rubrics
        self._fallback_to_baseline = fallback_to_baseline
        self._find_exclusions = find_exclusions
        self.language_codes = tuple(language_codes)

    @property
    def backend(self) -> str:
        """What judges: `huggingface`, `openai` or `baseline`."""
        return (self._model_judge or self._baseline_judge).backend

    @property
    def model_info(self) -> ModelInfo:
        """The model, as far as it is known before the first call. Empty for the baseline."""
        return (self._model_judge or self._baseline_judge).model_info

    @property
    def rubric_ids(self) -> tuple[str, ...]:
        """The rubrics that can be asked for."""
        return tuple(sorted(self._rubrics))

    def assess(self, answer: Answer, deadline: Deadline) -> Assessment:
        """Judge one answer.

        Raises:
            InvalidInputError: The request breaks a limit or asks for an unknown rubric.
            UnavailableError: The configured model fails.
            DeadlineError: The deadline passed.
        """
        check_answer(answer)
        rubric = choose_rubric(self._rubrics, answer.rubric_id)
        language = remarks.reader_language(answer.reader_language_code, answer.language_code)
        sentences = split_sentences(answer.segments)
        left_out = self._leave_out(sentences)
        kept = [sentence for sentence in sentences if sentence.id not in left_out]
        if sum(sentence.word_count() for sentence in kept) < LEAST_WORDS:
            unjudged = tuple(left_out.get(sentence.id, TaggedSentence(sentence)) for sentence in sentences)
            reason = remarks.ALL_LEFT_OUT if left_out else remarks.TOO_SHORT
            return self._unjudged(rubric, unjudged, reason[language], language)
        judged = self._judge(answer, rubric, kept, language, deadline)
        tagged = {item.sentence.id: item for item in judged.sentences} | left_out
        return _assess(rubric, judged, tuple(tagged[sentence.id] for sentence in sentences), language)

    def _leave_out(self, sentences: Sequence[Sentence]) -> dict[str, TaggedSentence]:
        exclusions = self._find_exclusions(sentences)
        return {
            sentence.id: TaggedSentence(sentence, exclusion=exclusions[sentence.id])
            for sentence in sentences
            if sentence.id in exclusions
        }

    def _judge(
        self, answer: Answer, rubric: Rubric, kept: Sequence[Sentence], language: Language, deadline: Deadline
    ) -> Judged:
        if self._model_judge is None:
            return self._baseline_judge.judge(answer, rubric, kept, absent("baseline", language))
        try:
            return self._model_judge.judge(answer, rubric, kept, language, deadline)
        except (UnavailableError, PreconditionError, ExhaustedError) as error:
            if not self._fallback_to_baseline:
                raise
            logger.warning("the model failed, the baseline judges", extra={"reason": error.reason})
            return self._baseline_judge.judge(answer, rubric, kept, absent("fallback", language))

    def _unjudged(
        self, rubric: Rubric, sentences: tuple[TaggedSentence, ...], reason: str, language: Language
    ) -> Assessment:
        return Assessment(
            method=Method.BASELINE if self._model_judge is None else Method.LLM,
            outcome=Outcome.INSUFFICIENT_EVIDENCE,
            reason=reason,
            sentences=sentences,
            criteria=_weighed(
                rubric, [_without_level(criterion, reason, language) for criterion in rubric.criteria]
            ),
            conclusion_absent_reason=absent("not_judged", language).absent_reason,
            provenance=rubric_provenance(rubric, self.model_info),
        )


def _assess(
    rubric: Rubric, judged: Judged, sentences: tuple[TaggedSentence, ...], language: Language
) -> Assessment:
    assessed = [_assess_criterion(criterion, rubric, judged, language) for criterion in rubric.criteria]
    criteria = _weighed(rubric, assessed)
    total = _total_score(rubric, criteria)
    conclusion = judged.conclusion if total is not None else absent("not_judged", language)
    return Assessment(
        method=judged.method,
        outcome=Outcome.INSUFFICIENT_EVIDENCE if total is None else Outcome.OK,
        reason=remarks.LITTLE_JUDGED[language] if total is None else "",
        sentences=sentences,
        criteria=criteria,
        total_score=total,
        conclusion=conclusion.text,
        conclusion_absent_reason=conclusion.absent_reason,
        provenance=judged.provenance,
    )


def _assess_criterion(
    criterion: Criterion, rubric: Rubric, judged: Judged, language: Language
) -> CriterionAssessment:
    level = judged.level_of(criterion)
    if level is None:
        return _without_level(criterion, remarks.NO_EVIDENCE[language], language)
    if level.spread_levels is not None and level.spread_levels > rubric.max_spread_levels:
        unsure = _without_level(criterion, remarks.TOO_UNSURE[language], language)
        return replace(unsure, spread_levels=level.spread_levels)
    strengths, gaps = remarks.make_remarks(criterion, level, judged.sentences, language)
    return CriterionAssessment(
        id=criterion.id,
        name=criterion.name.in_language(language),
        outcome=Outcome.OK,
        level=level.level,
        score=level.score(),
        evidence_sentence_ids=tuple(item.sentence.id for item in level.evidence),
        strengths=strengths,
        gaps=gaps,
        spread_levels=level.spread_levels,
    )


def _without_level(criterion: Criterion, reason: str, language: Language) -> CriterionAssessment:
    return CriterionAssessment(
        id=criterion.id,
        name=criterion.name.in_language(language),
        outcome=Outcome.INSUFFICIENT_EVIDENCE,
        reason=reason,
    )


def _weighed(rubric: Rubric, criteria: Sequence[CriterionAssessment]) -> tuple[CriterionAssessment, ...]:
    """Say of each criterion what it weighs, so that the total can be computed again."""
    whole = sum(criterion.weight for criterion in rubric.criteria)
    return tuple(
        replace(assessed, weight_ratio=criterion.weight / whole)
        for criterion, assessed in zip(rubric.criteria, criteria, strict=True)
    )


def _total_score(rubric: Rubric, criteria: Sequence[CriterionAssessment]) -> float | None:
    """Weighted mean of the scores that exist. None where they are less than half of the weight."""
    scores = [
        (criterion.weight, assessed.score)
        for criterion, assessed in zip(rubric.criteria, criteria, strict=True)
        if assessed.score is not None
    ]
    judged_weight = sum(weight for weight, _ in scores)
    if judged_weight < LEAST_JUDGED_WEIGHT * sum(criterion.weight for criterion in rubric.criteria):
        return None
    return sum(weight * score for weight, score in scores) / judged_weight
