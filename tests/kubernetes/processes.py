"""What each process can be told, and what it needs, as its own settings say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from chassis.decoding.child_memory import children_max_bytes
from chassis.settings import ProcessSettings, SettingsError, load_settings
from chassis.store.settings import StoreSettings
from gateway.settings import GatewaySettings
from orchestrator.stages.catalogue import settings_class
from services.assessor.settings import AssessorSettings
from services.speaker.settings import SpeakerSettings
from services.transcriber.settings import TranscriberSettings
from services.translator.settings import TranslatorSettings
from services.vision.settings import VisionSettings

PROCESSES: dict[str, type[ProcessSettings]] = {
    "gateway": GatewaySettings,
    "orchestrator": settings_class(),
    "transcriber": TranscriberSettings,
    "translator": TranslatorSettings,
    "assessor": AssessorSettings,
    "vision": VisionSettings,
    "speaker": SpeakerSettings,
}
SHARED = frozenset(
    {
        "HOME",
        "HF_HUB_OFFLINE",
        "INTERVIEW_CALL_TOKEN",
        "INTERVIEW_MODELS_DIR",
        "INTERVIEW_SECRETS_DIR",
        "INTERVIEW_TLS_CA_FILE",
        "INTERVIEW_TLS_CERT_FILE",
        "INTERVIEW_TLS_KEY_FILE",
        "OMP_NUM_THREADS",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    }
)
"""What is read by libraries, and by the chassis without a public settings class."""
MIB = 1 << 20
IDLE_BYTES = {
    "gateway": 300 * MIB,
    "orchestrator": 300 * MIB,
    "transcriber": 900 * MIB,
    "translator": 150 * MIB,
    "assessor": 150 * MIB,
    "vision": 400 * MIB,
    "speaker": 500 * MIB,
}
"""A process without its decoding children: about half as much again as the peaks in docs/performance.md.
For the transcriber with the model of `overlays/cpu`."""
IDLE_ON_GPU_BYTES = 3072 * MIB
"""The transcriber's own memory beside the GPU's: CUDA, and the large model while it is loaded."""


def known_variables(process: str) -> frozenset[str]:
    """Return the names of all variables that a process reads."""
    return SHARED.union(_names(PROCESSES[process]), _names(StoreSettings))


def _names(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        named = alias.choices if isinstance(alias, AliasChoices) else [alias] if alias else [prefix + name]
        yield from (str(one).upper() for one in named)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Replace the process's environment for a while."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(values)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def told(process: str, values: Mapping[str, str]) -> ProcessSettings:
    """Read a process's settings from an environment, as the process does. What is empty comes from a Secret.

    Raises:
        SettingsError: Some are wrong, or missing.
    """
    with environment({name: value for name, value in values.items() if value}):
        return load_settings(PROCESSES[process])


def memory_needed_bytes(process: str, values: Mapping[str, str]) -> int:
    """Return the memory that a process may come to hold: itself, and each decoding child at its limit."""
    settings = told(process, values)
    on_gpu = values.get("TRANSCRIBER_DEVICE") == "cuda"
    own = IDLE_ON_GPU_BYTES if on_gpu and process == "transcriber" else IDLE_BYTES[process]
    return own + (children_max_bytes(process, settings) if process != "gateway" else 0)


__all__ = ["PROCESSES", "SettingsError", "known_variables", "memory_needed_bytes", "told"]
