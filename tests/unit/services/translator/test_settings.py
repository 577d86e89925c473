"""Which backend the settings choose."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.settings import SettingsError, load_settings
from services.translator.settings import TranslatorSettings

VARIABLES = (
    "DEEPL_API_KEY",
    "TRANSLATOR_DEEPL_API_KEY",
    "LLM_BASE_URL",
    "LLM_MODEL",
    "TRANSLATOR_LLM_BASE_URL",
    "TRANSLATOR_BACKEND",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "backend"),
    [
        ({}, "none"),
        ({"DEEPL_API_KEY": "k"}, "deepl"),
        ({"TRANSLATOR_DEEPL_API_KEY": "k"}, "deepl"),
        ({"TRANSLATOR_LLM_BASE_URL": "http://127.0.0.1:8091/v1"}, "llm"),
        ({"LLM_BASE_URL": "http://127.0.0.1:8091/v1"}, "llm"),
        ({"LLM_BASE_URL": "http://127.0.0.1:8091/v1", "TRANSLATOR_LLM_BASE_URL": ""}, "llm"),
        ({"DEEPL_API_KEY": "k", "TRANSLATOR_LLM_BASE_URL": "http://127.0.0.1:1"}, "deepl"),
        ({"DEEPL_API_KEY": "", "TRANSLATOR_LLM_BASE_URL": ""}, "none"),
        ({"DEEPL_API_KEY": "k", "TRANSLATOR_BACKEND": "none"}, "none"),
    ],
)
def test_auto_takes_what_is_configured(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], backend: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert load_settings(TranslatorSettings).chosen_backend == backend


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"TRANSLATOR_BACKEND": "deepl"}, "DEEPL_API_KEY"),
        ({"TRANSLATOR_BACKEND": "llm"}, "TRANSLATOR_LLM_BASE_URL"),
        ({"TRANSLATOR_BACKEND": "google"}, "TRANSLATOR_BACKEND"),
        ({"TRANSLATOR_LLM_BASE_URL": "127.0.0.1:8091"}, "TRANSLATOR_LLM_BASE_URL"),
    ],
)
def test_a_backend_without_its_settings_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=says):
        load_settings(TranslatorSettings)


def test_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPL_API_KEY", "very-secret")

    assert "very-secret" not in repr(load_settings(TranslatorSettings))


def test_the_translators_own_variable_goes_before_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://shared")
    monkeypatch.setenv("LLM_MODEL", "shared-model")
    monkeypatch.setenv("TRANSLATOR_LLM_BASE_URL", "http://own")

    settings = load_settings(TranslatorSettings)

    assert (settings.llm_base_url, settings.llm_model) == ("http://own", "shared-model")


def test_the_schemas_older_name_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSLATOR_LLM_SCHEMA_STYLE", "structured_outputs")

    assert load_settings(TranslatorSettings).llm_schema_dialect == "structured_outputs"


@pytest.mark.parametrize(
    ("settings", "begins"),
    [
        ({"llm_base_url": "http://127.0.0.1:8091/v1"}, True),
        ({"llm_base_url": "https://models.example/v1"}, False),
        ({"llm_base_url": "http://127.0.0.1:8091/v1", "llm_begins_replies": False}, False),
        ({"llm_base_url": "https://models.example/v1", "llm_begins_replies": True}, True),
        ({}, False),
    ],
)
def test_a_model_on_this_machine_has_its_replies_begun(settings: dict[str, Any], begins: bool) -> None:
    assert TranslatorSettings(**settings).chosen_begins_replies is begins
