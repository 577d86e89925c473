"""Runs the assessor: `python -m services.assessor`."""

from __future__ import annotations

from chassis.early_stop import end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped()  # Before the imports that take seconds.

from chassis.chat_completions import ChatClient, ChatServer
from chassis.server import Register, run
from chassis.telemetry import tell_model
from chassis.workers import Workers
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.checks import CALIBRATION_FILE, read_calibration
from services.assessor.engine import Assessor
from services.assessor.fitted import BASELINE
from services.assessor.judging import BaselineJudge, ModelJudge
from services.assessor.language_model import LanguageModel, ServedModel
from services.assessor.prompts import read_prompts
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.servicer import SERVICE_NAME, AssessorServicer
from services.assessor.settings import AssessorSettings
from services.assessor.weighing import read_weighings

HUGGING_FACE_URL = "https://router.huggingface.co/v1"
"""Where Hugging Face's inference providers are reached in OpenAI's protocol."""
HUGGING_FACE_MODEL = "meta-llama/Llama-3.1-8B-Instruct"


def build_model(settings: AssessorSettings) -> LanguageModel | None:
    """Build the model that the settings choose. None for the baseline."""
    if settings.chosen_backend == "openai":
        key = settings.llm_api_key.get_secret_value()
        server = _server(settings, settings.llm_base_url, settings.llm_model, key)
        return _served(settings, server, settings.llm_model, "server")
    if settings.chosen_backend == "huggingface":
        name = settings.llm_model or HUGGING_FACE_MODEL
        # The router takes the provider with the model's name; a dedicated endpoint has no choice of them.
        address, served = (
            (settings.hf_endpoint_url, name)
            if settings.hf_endpoint_url
            else (HUGGING_FACE_URL, f"{name}:{settings.hf_provider}")
        )
        server = _server(settings, address, served, settings.hf_token.get_secret_value())
        return _served(settings, server, name, settings.hf_provider)
    return None


def _server(settings: AssessorSettings, base_url: str, model: str, key: str) -> ChatServer:
    return ChatServer(
        base_url,
        model,
        key,
        schema_dialect=settings.llm_schema_dialect,
        token_probabilities=settings.token_probabilities,
        attempt_timeout_s=settings.request_timeout_s,
    )


def _served(settings: AssessorSettings, server: ChatServer, name: str, device: str) -> ServedModel:
    backend = settings.chosen_backend
    return ServedModel(backend, ChatClient(server), name=name, digest=settings.model_digest, device=device)


def build_assessor(settings: AssessorSettings) -> Assessor:
    """Build the assessor that the settings describe."""
    directories = [RUBRICS_DIR] if settings.rubrics_dir is None else [RUBRICS_DIR, settings.rubrics_dir]
    model, prompts = build_model(settings), read_prompts()
    weighing_of = read_weighings()
    model_judge = None
    if model is not None:
        tell_model(model.info)
        model_judge = ModelJudge(
            model,
            prompts=prompts,
            calibration=read_calibration(settings.calibration_file or CALIBRATION_FILE),
            seed=settings.seed,
            max_tokens=settings.max_tokens,
            calls_at_once=settings.chosen_calls_at_once,
            tags_one_by_one=settings.chosen_tags_one_by_one,
            weighing_of=weighing_of,
        )
    return Assessor(
        model_judge=model_judge,
        baseline_judge=BaselineJudge(Baseline(read_lexicon()), weighing_of(BASELINE)),
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
