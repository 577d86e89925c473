"""Settings of the translator: `TRANSLATOR_…` in the environment. Keys are never shown or logged.

All services share the language model of `LLM_BASE_URL`. `TRANSLATOR_LLM_BASE_URL` overrides it here.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.chat_completions import SchemaDialect, is_local
from chassis.settings import ServiceSettings


class TranslatorSettings(ServiceSettings):
    """What the translator can be told."""

    model_config = SettingsConfigDict(
        env_prefix="TRANSLATOR_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    port: int = Field(50052, ge=0, le=65535)
    worker_count: int = Field(4, ge=1, le=256)
    """Translating waits for a server most of the time, so several jobs share the threads."""
    waiting_count: int = Field(32, ge=0, le=10_000)
    backend: Literal["auto", "deepl", "llm", "none"] = "auto"
    """`auto`: DeepL where there is a key, else the language model where there is a URL, else none."""
    default_timeout_s: float = Field(120.0, gt=0)
    """Time for a request that comes without a deadline."""
    cache_characters: int = Field(4_000_000, ge=0)
    """Room for remembered translations, about 70 hours of speech in 4 to 16 MB. 0 remembers nothing."""
    cache_max_age_s: float = Field(3600.0, ge=0)
    """Outlasts a session and its retries. What is deleted elsewhere is forgotten here by then."""

    deepl_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("TRANSLATOR_DEEPL_API_KEY", "DEEPL_API_KEY")
    )
    deepl_server_url: str = ""
    """Another server that speaks DeepL's protocol. Empty for DeepL's own."""
    deepl_attempt_timeout_s: float = Field(10.0, gt=0)
    """Longest silence of DeepL in one attempt. It answers within about a second."""

    llm_base_url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        validation_alias=AliasChoices("TRANSLATOR_LLM_BASE_URL", "LLM_BASE_URL", "llm_base_url"),
    )
    """OpenAI-compatible server, such as `http://127.0.0.1:8091/v1`."""
    llm_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("TRANSLATOR_LLM_API_KEY", "LLM_API_KEY", "llm_api_key")
    )
    llm_model: str = Field(
        "", validation_alias=AliasChoices("TRANSLATOR_LLM_MODEL", "LLM_MODEL", "llm_model")
    )
    """The model's name at the server. Empty takes the first one that it lists."""
    llm_schema_dialect: SchemaDialect = Field(
        SchemaDialect.RESPONSE_FORMAT,
        validation_alias=AliasChoices(
            "TRANSLATOR_LLM_SCHEMA_DIALECT",
            "TRANSLATOR_LLM_SCHEMA_STYLE",
            "LLM_SCHEMA_DIALECT",
            "llm_schema_dialect",
        ),
    )
    """How the reply's schema is sent: see `SchemaDialect`."""
    llm_language_codes: tuple[str, ...] = ("en", "id")
    """Languages that the model is trusted with, as a JSON list."""
    llm_attempt_timeout_s: float = Field(120.0, gt=0)
    """Longest time of one request. A 1.5B model on one core writes about 11 tokens a second."""
    llm_batch_text_count: int = Field(1, ge=1, le=100)
    """One keeps a 1.5B model from merging segments. A large model on a remote server takes 8 or more."""
    llm_batch_characters: int = Field(1500, ge=1)
    llm_calls_at_once: int = Field(4, ge=1, le=32)
    """Requests of one job at a time. A server with one place makes them wait, which costs nothing."""

    llm_begins_replies: bool | None = None
    """Whether the JSON around a single segment is written for the model. Absent: where it is on this machine.
    Its server has to go on with a reply that was begun, as llama.cpp and vLLM do."""

    @property
    def chosen_begins_replies(self) -> bool:
        """What is set, or what suits where the model is."""
        return is_local(self.llm_base_url) if self.llm_begins_replies is None else self.llm_begins_replies

    @property
    def chosen_backend(self) -> Literal["deepl", "llm", "none"]:
        """The backend that `auto` stands for, or the one that is set."""
        if self.backend != "auto":
            return self.backend
        if self.deepl_api_key.get_secret_value():
            return "deepl"
        return "llm" if self.llm_base_url else "none"

    @model_validator(mode="after")
    def _complete(self) -> TranslatorSettings:
        if self.backend == "deepl" and not self.deepl_api_key.get_secret_value():
            raise ValueError("TRANSLATOR_BACKEND=deepl needs DEEPL_API_KEY or TRANSLATOR_DEEPL_API_KEY")
        if self.backend == "llm" and not self.llm_base_url:
            raise ValueError("TRANSLATOR_BACKEND=llm needs LLM_BASE_URL or TRANSLATOR_LLM_BASE_URL")
        return self
