"""Runs the assessor: `python -m services.assessor`."""

from __future__ import annotations

from chassis.server import Register, run
from chassis.workers import Workers
from services.assessor.backends import HuggingFaceModel, OpenAIModel, Wire
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.checks import CALIBRATION_FILE, read_calibration
from services.assessor.engine import Assessor
from services.assessor.judging import BaselineJudge, ModelJudge
from services.assessor.language_model import LanguageModel, ModelIdentity
from services.assessor.prompts import read_prompts
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.servicer import SERVICE_NAME, AssessorServicer
from services.assessor.settings import AssessorSettings


def build_model(settings: AssessorSettings) -> LanguageModel | None:
    """Build the model that the settings choose; None for the baseline."""
    chosen = settings.chosen_backend
    wire = Wire(settings.request_timeout_s, settings.schema_dialect, settings.token_probabilities)
    if chosen == "openai":
        identity = ModelIdentity(chosen, settings.model, digest=settings.model_digest, device="server")
        return OpenAIModel(
            identity, settings.openai_base_url, settings.openai_api_key.get_secret_value(), wire
        )
    if chosen == "huggingface":
        identity = ModelIdentity(
            chosen, settings.model, digest=settings.model_digest, device=settings.hf_provider
        )
        token = settings.hf_token.get_secret_value()
        return HuggingFaceModel(identity, token, settings.hf_provider, settings.hf_endpoint_url, wire)
    return None


def build_assessor(settings: AssessorSettings) -> Assessor:
    """Build the assessor that the settings describe."""
    directories = [RUBRICS_DIR] if settings.rubrics_dir is None else [RUBRICS_DIR, settings.rubrics_dir]
    model, prompts = build_model(settings), read_prompts()
    model_judge = None
    if model is not None:
        model_judge = ModelJudge(
            model,
            prompts=prompts,
            calibration=read_calibration(settings.calibration_file or CALIBRATION_FILE),
            seed=settings.seed,
            max_tokens=settings.max_tokens,
        )
    return Assessor(
        model_judge=model_judge,
        baseline_judge=BaselineJudge(Baseline(read_lexicon())),
        rubrics=read_rubrics(*directories),
        language_codes=sorted(prompts),
        fallback_to_baseline=settings.fallback_to_baseline,
    )


def compose(settings: AssessorSettings) -> Register:
    """Put the assessor together."""
    workers = Workers(settings.worker_count, settings.waiting_count)
    return AssessorServicer(build_assessor(settings), workers, settings.default_timeout_s).add_to


if __name__ == "__main__":
    run(AssessorSettings, SERVICE_NAME, compose)
