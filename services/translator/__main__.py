"""Runs the translator: `python -m services.translator`."""

from __future__ import annotations

from chassis.early_stop import end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped()  # Before the imports that take seconds.

from chassis.chat_completions import ChatClient, ChatServer
from chassis.server import Register, run
from chassis.telemetry import tell_model
from chassis.workers import Workers
from services.translator.cache import TranslationCache
from services.translator.deepl_backend import DeeplBackend
from services.translator.engine import Translator
from services.translator.job import Backend
from services.translator.llm_backend import LlmBackend
from services.translator.servicer import SERVICE_NAME, TranslatorServicer
from services.translator.settings import TranslatorSettings
from services.translator.unconfigured import UnconfiguredBackend


def build_backend(settings: TranslatorSettings) -> Backend:
    """Build the backend that the settings choose."""
    if settings.chosen_backend == "deepl":
        key = settings.deepl_api_key.get_secret_value()
        return DeeplBackend(key, settings.deepl_server_url, settings.deepl_attempt_timeout_s)
    if settings.chosen_backend == "llm":
        server = ChatServer(
            settings.llm_base_url,
            settings.llm_model,
            settings.llm_api_key.get_secret_value(),
            schema_dialect=settings.llm_schema_dialect,
            attempt_timeout_s=settings.llm_attempt_timeout_s,
        )
        limits = (
            settings.llm_batch_text_count,
            settings.llm_batch_characters,
            settings.llm_calls_at_once,
        )
        return LlmBackend(
            ChatClient(server),
            settings.llm_language_codes,
            *limits,
            begins_replies=settings.chosen_begins_replies,
        )
    return UnconfiguredBackend()


def compose(settings: TranslatorSettings) -> Register:
    """Put the translator together."""
    cache = TranslationCache(settings.cache_characters, settings.cache_max_age_s)
    backend = build_backend(settings)
    tell_model(backend.model())
    translator = Translator(backend, settings.default_timeout_s, cache)
    return TranslatorServicer(translator, Workers(settings.worker_count, settings.waiting_count)).add_to


if __name__ == "__main__":
    run(TranslatorSettings, SERVICE_NAME, compose)
