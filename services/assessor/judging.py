"""The two ways to find out what an answer's sentences are: by a language model, or by word lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from chassis.deadline import Deadline
from chassis.errors import UnavailableError
from chassis.model_info import ModelInfo
from chassis.side_by_side import side_by_side
from services.assessor.answer import Answer
from services.assessor.assessment import Method, Provenance
from services.assessor.baseline import Baseline
from services.assessor.checks import Calibration, ask_checks, level_by_checks
from services.assessor.conclusion import Conclusion, absent, conclude
from services.assessor.conversation import Conversation
from services.assessor.language_model import LanguageModel
from services.assessor.levels import Level, find_level
from services.assessor.prompts import Language, Prompts, choose_prompts
from services.assessor.rubric import Criterion, Rubric
from services.assessor.sentences import Sentence
from services.assessor.tagging import batches, tag_sentences
from services.assessor.tags import TaggedSentence
from services.assessor.weighing import Weighing

NO_MODEL = ModelInfo()


@dataclass(frozen=True)
class Judged:
    """What a method found in the sentences that were not left out."""

    method: Method
    sentences: tuple[TaggedSentence, ...]
    provenance: Provenance
    conclusion: Conclusion
    level_of: Callable[[Criterion], Level | None]
    """Gives a criterion's level, or None where no sentence carries one."""


class BaselineJudge:
    """Judges by word lists.

    Args:
        baseline: The word lists at work.
        weighing: Weighs their tags with the wording. None leaves them as they are.
    """

    backend = "baseline"
    model_info = NO_MODEL

    def __init__(self, baseline: Baseline, weighing: Weighing | None = None) -> None:
        self._baseline = baseline
        self._weighing = weighing

    def judge(
        self, answer: Answer, rubric: Rubric, sentences: Sequence[Sentence], conclusion: Conclusion
    ) -> Judged:
        """Judge an answer. The conclusion says why there is none."""
        tagged = self._baseline.tag_sentences(answer.question, sentences)
        if self._weighing is not None:
            tagged = self._weighing.weigh(answer.question, tagged)
        return Judged(
            method=Method.BASELINE,
            sentences=tagged,
            provenance=rubric_provenance(rubric),
            conclusion=conclusion,
            level_of=lambda criterion: self._find_level(criterion, answer.question, tagged),
        )

    def _find_level(
        self, criterion: Criterion, question: str, tagged: Sequence[TaggedSentence]
    ) -> Level | None:
        if criterion.fitted and self._weighing is not None:
            return self._weighing.find_level(criterion, question, tagged)
        return self._baseline.find_level(criterion, question, tagged)


class ModelJudge:
    """Judges by what a language model says each sentence is.

    Args:
        model: The language model.
        prompts: The prompts by language.
        calibration: The offsets of the checks.
        seed: For answers that bring none.
        max_tokens: The most tokens of any reply.
        calls_at_once: Calls of one answer under way at a time, from 1.
        tags_one_by_one: Whether to ask for each tag alone, see `tag_sentences`.
        weighing_of: Gives by the model's name what weighs its tags with the wording. None for a model that
            nothing was fitted for.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        prompts: Mapping[str, Prompts],
        calibration: Calibration,
        seed: int,
        max_tokens: int,
        calls_at_once: int = 1,
        tags_one_by_one: bool = False,
        weighing_of: Callable[[str], Weighing | None] = lambda _: None,
    ) -> None:
        self._model = model
        self._weighing_of = weighing_of
        self._tags_one_by_one = tags_one_by_one
        self._calls_at_once = calls_at_once
        self._prompts = prompts
        self._calibration = calibration
        self._seed = seed
        self._max_tokens = max_tokens

    @property
    def backend(self) -> str:
        """What the model is asked through."""
        return self._model.backend

    @property
    def model_info(self) -> ModelInfo:
        """The model, as far as it is known before the first call."""
        return self._model.info

    def judge(
        self,
        answer: Answer,
        rubric: Rubric,
        sentences: Sequence[Sentence],
        language: Language,
        deadline: Deadline,
    ) -> Judged:
        """Judge an answer. Remarks and conclusion are in `language`.

        Raises:
            UnavailableError: The model fails.
            PreconditionError: The model refuses us as we are configured.
            ExhaustedError: The model's quota is used up.
        """
        seed = self._seed if answer.seed is None else answer.seed
        conversation = Conversation(self._model, seed, self._max_tokens, self._calls_at_once)
        prompts = choose_prompts(self._prompts, answer.language_code)
        tagged = tag_sentences(
            conversation, prompts, answer.question, sentences, deadline, one_by_one=self._tags_one_by_one
        )
        weighing = self._weighing_of(self.model_info.name)
        if weighing is not None and prompts.version not in weighing.prompt_versions:
            weighing = None
        if weighing is not None:
            tagged = weighing.weigh(answer.question, tagged)
        checks: Mapping[str, float] = {}
        conclusion = absent("failed", language)

        def ask_checks_of_it() -> None:
            nonlocal checks
            checks = self._ask_checks(conversation, rubric, prompts, answer, sentences, deadline)

        def conclude_from_it() -> None:
            nonlocal conclusion
            conclusion = conclude(conversation, prompts, answer.question, tagged, language, deadline)

        side_by_side([ask_checks_of_it, conclude_from_it], self._calls_at_once)
        return Judged(
            method=Method.LLM,
            sentences=tagged,
            provenance=self._provenance(rubric, conversation, prompts, tagged),
            conclusion=conclusion,
            level_of=partial(_find_level, weighing, answer.question, tagged, checks),
        )

    def _ask_checks(
        self,
        conversation: Conversation,
        rubric: Rubric,
        prompts: Prompts,
        answer: Answer,
        sentences: Sequence[Sentence],
        deadline: Deadline,
    ) -> Mapping[str, float]:
        """Ask the rubric's calibrated checks. An answer over one prompt has no place for such a question."""
        calibrated = self._calibration.offsets(self.model_info.name, prompts.version)
        wanted = {check_id for criterion in rubric.criteria for check_id in criterion.checks}
        offsets = {check_id: offset for check_id, offset in calibrated.items() if check_id in wanted}
        if not offsets or len(list(batches(sentences))) > 1:
            return {}
        try:
            return ask_checks(conversation, prompts, answer.question, sentences, offsets, deadline)
        except UnavailableError:  # The tags stand on their own.
            return {}

    def _provenance(
        self,
        rubric: Rubric,
        conversation: Conversation,
        prompts: Prompts,
        tagged: Sequence[TaggedSentence],
    ) -> Provenance:
        return replace(
            rubric_provenance(rubric, self.model_info),
            model_version=conversation.model_version,
            prompt_version=prompts.version,
            prompt_digest=prompts.digest,
            seed=conversation.seed,
            prompt_token_count=conversation.prompt_token_count,
            completion_token_count=conversation.completion_token_count,
            token_probabilities=all(item.probabilities is not None for item in tagged),
        )


def rubric_provenance(rubric: Rubric, model: ModelInfo = NO_MODEL) -> Provenance:
    """Say which rubric and model a judgement rests on."""
    return Provenance(
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        rubric_digest=rubric.digest,
        model_name=model.name,
        model_version=model.version,
        model_digest=model.digest,
        model_device=model.device,
    )


def _find_level(
    weighing: Weighing | None,
    question: str,
    sentences: Sequence[TaggedSentence],
    checks: Mapping[str, float],
    criterion: Criterion,
) -> Level | None:
    if criterion.fitted and weighing is not None:
        return weighing.find_level(criterion, question, sentences, checks)
    return find_level(criterion, sentences, check_level=level_by_checks(criterion.checks, checks))
