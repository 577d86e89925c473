"""Settings of the assessor: `ASSESSOR_…` in the environment. Keys are never shown or logged.

All services share the language model of `LLM_BASE_URL`. `ASSESSOR_LLM_BASE_URL` overrides it here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.chat_completions import SchemaDialect, is_local
from chassis.settings import ServiceSettings
from services.assessor.answer import MAX_SEED

HOSTED_CALLS_AT_ONCE = 8
"""The checks of any shipped rubric and the conclusion, all together."""


class AssessorSettings(ServiceSettings):
    """What the assessor can be told."""

    model_config = SettingsConfigDict(
        env_prefix="ASSESSOR_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    port: int = Field(50053, ge=0, le=65535)
    worker_count: int = Field(4, ge=1, le=256)
    """Assessing waits for a model's server most of the time, so several answers share the threads."""
    waiting_count: int = Field(32, ge=0, le=10_000)
    backend: Literal["auto", "huggingface", "openai", "baseline"] = "auto"
    """`auto`: the OpenAI-compatible server where there is a URL, else Hugging Face where there is a token,
    else the baseline."""
    model_digest: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """SHA-256 of the weights where the operator knows it. Stands in the results."""
    llm_base_url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        validation_alias=AliasChoices(
            "ASSESSOR_LLM_BASE_URL", "ASSESSOR_OPENAI_BASE_URL", "LLM_BASE_URL", "llm_base_url"
        ),
    )
    """OpenAI-compatible server, such as `http://127.0.0.1:8091/v1`."""
    llm_model: str = Field(
        "", validation_alias=AliasChoices("ASSESSOR_LLM_MODEL", "ASSESSOR_MODEL", "LLM_MODEL", "llm_model")
    )
    """The model's name at its server or provider. Empty takes the first one that the server lists, and Llama
    3.1 8B at Hugging Face."""
    llm_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices(
            "ASSESSOR_LLM_API_KEY", "ASSESSOR_OPENAI_API_KEY", "LLM_API_KEY", "llm_api_key"
        ),
    )
    hf_token: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("ASSESSOR_HF_TOKEN", "HF_TOKEN", "hf_token")
    )
    hf_provider: str = Field("novita", min_length=1)
    """Inference provider, pinned: with `auto` the same request could be answered by another one tomorrow."""
    hf_endpoint_url: str = Field("", pattern=r"^(https?://.+)?$")
    """A dedicated endpoint instead of a provider."""
    llm_schema_dialect: SchemaDialect = Field(
        SchemaDialect.RESPONSE_FORMAT,
        validation_alias=AliasChoices(
            "ASSESSOR_LLM_SCHEMA_DIALECT",
            "ASSESSOR_SCHEMA_DIALECT",
            "LLM_SCHEMA_DIALECT",
            "llm_schema_dialect",
        ),
    )
    """How the reply's schema is sent: see `SchemaDialect`."""
    token_probabilities: bool = True
    """Off for a provider that refuses `logprobs`. Tags then count as certain."""
    seed: int = Field(0, ge=0, le=MAX_SEED)
    """For requests that bring none."""
    request_timeout_s: float = Field(300.0, gt=0)
    """Longest time of one model call, the first of which makes a local server read the whole prompt."""
    default_timeout_s: float = Field(600.0, gt=0)
    """Time for a request that comes without a deadline."""
    max_tokens: int = Field(512, ge=1, le=32_768)
    """Longest reply to one call."""
    calls_at_once: int | None = Field(None, ge=1, le=32)
    """Calls of one answer that may be under way at a time. Absent: one where the model is on this machine,
    as such a server keeps what it has read of an answer in one place, and eight elsewhere."""
    tags_one_by_one: bool | None = None
    """Whether to ask for each sentence's tag alone. Absent: where the model is on this machine, if it gives
    token probabilities. Its server has to go on with a reply that was begun, as llama.cpp and vLLM do."""
    fallback_to_baseline: bool = False
    """Let the labelled baseline stand in when the configured model fails."""
    calibration_file: Path | None = None
    """Offsets of the checks, as `interview assessor calibrate` writes them. None takes the shipped ones."""
    rubrics_dir: Path | None = None
    """Folder with further rubrics. One with a shipped rubric's id replaces it."""

    @property
    def chosen_backend(self) -> Literal["huggingface", "openai", "baseline"]:
        """The backend that `auto` stands for, or the one that is set."""
        if self.backend != "auto":
            return self.backend
        if self.llm_base_url:
            return "openai"
        return "huggingface" if self.hf_token.get_secret_value() else "baseline"

    @property
    def chosen_calls_at_once(self) -> int:
        """The number that is set, or the one that suits where the model is."""
        if self.calls_at_once is not None:
            return self.calls_at_once
        return 1 if self._on_this_machine else HOSTED_CALLS_AT_ONCE

    @property
    def chosen_tags_one_by_one(self) -> bool:
        """What is set, or what suits where the model is."""
        suits = self._on_this_machine if self.tags_one_by_one is None else self.tags_one_by_one
        return suits and self.token_probabilities

    @property
    def _on_this_machine(self) -> bool:
        url = self.llm_base_url if self.chosen_backend == "openai" else self.hf_endpoint_url
        return is_local(url)

    @model_validator(mode="after")
    def _complete(self) -> AssessorSettings:
        if self.backend == "openai" and not self.llm_base_url:
            raise ValueError("the backend `openai` needs LLM_BASE_URL or ASSESSOR_LLM_BASE_URL")
        if self.backend == "huggingface" and not self.hf_token.get_secret_value():
            raise ValueError("the backend `huggingface` needs HF_TOKEN")
        return self
