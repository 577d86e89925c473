"""Which language model the assessor's settings choose, by new names and old."""

from __future__ import annotations

import pytest

from chassis.settings import load_settings
from services.assessor.__main__ import HUGGING_FACE_MODEL, build_model
from services.assessor.settings import AssessorSettings

VARIABLES = (
    "HF_TOKEN",
    "LLM_BASE_URL",
    "LLM_MODEL",
    "LLM_API_KEY",
    "ASSESSOR_BACKEND",
    "ASSESSOR_MODEL",
    "ASSESSOR_OPENAI_BASE_URL",
    "ASSESSOR_LLM_BASE_URL",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "model"),
    [
        ({"LLM_BASE_URL": "http://shared", "LLM_MODEL": "m"}, "http://shared", "m"),
        ({"LLM_BASE_URL": "http://shared", "ASSESSOR_LLM_BASE_URL": "http://own"}, "http://own", ""),
        ({"ASSESSOR_OPENAI_BASE_URL": "http://old", "ASSESSOR_MODEL": "old"}, "http://old", "old"),
        ({"ASSESSOR_LLM_BASE_URL": "", "LLM_BASE_URL": "http://shared"}, "http://shared", ""),
    ],
)
def test_the_assessors_own_variables_go_before_the_shared_ones(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, model: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    settings = load_settings(AssessorSettings)

    assert (settings.llm_base_url, settings.llm_model, settings.chosen_backend) == (url, model, "openai")


def test_hugging_face_names_its_model_and_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_x")

    model = build_model(load_settings(AssessorSettings))

    assert model is not None
    assert (model.backend, model.info.name, model.info.device) == (
        "huggingface",
        HUGGING_FACE_MODEL,
        "novita",
    )


def test_a_server_whose_model_is_not_named_has_no_name_before_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:9")

    model = build_model(load_settings(AssessorSettings))

    assert model is not None
    assert model.info.name == ""
