"""A variable that looks like a setting and is none: its author believes in a limit that nobody holds."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ProcessSettings, unknown_variables
from chassis.telemetry import warn_of_unknown
from gateway.settings import GatewaySettings
from orchestrator.settings import OrchestratorSettings
from services.assessor.settings import AssessorSettings
from services.speaker.settings import SpeakerSettings
from services.transcriber.settings import TranscriberSettings
from services.translator.settings import TranslatorSettings
from services.vision.settings import VisionSettings

ALL: list[type[Any]] = [
    GatewaySettings,
    OrchestratorSettings,
    AssessorSettings,
    SpeakerSettings,
    TranscriberSettings,
    TranslatorSettings,
    VisionSettings,
]


class Lamp(ProcessSettings):
    model_config = SettingsConfigDict(env_prefix="LAMP_", frozen=True, extra="ignore")

    max_watts: float = 5.0
    token: str = Field("", validation_alias=AliasChoices("LAMP_TOKEN", "TOKEN"))


def test_a_misspelt_setting_is_named_with_the_one_that_is_meant() -> None:
    found = unknown_variables(Lamp(), {"LAMP_MAX_WATT": "60", "LAMP_MAX_WATTS": "60", "OTHER_MAX_WATT": "1"})

    assert found == {"LAMP_MAX_WATT": "LAMP_MAX_WATTS"}


def test_what_is_close_to_nothing_gets_no_guess() -> None:
    assert unknown_variables(Lamp(), {"LAMP_ZZZZ": "60"}) == {"LAMP_ZZZZ": ""}


def test_other_names_of_a_setting_and_what_kubernetes_adds_are_no_mistakes() -> None:
    environ = {
        "LAMP_TOKEN": "t",
        "lamp_max_watts": "1",
        "LAMP_LOG_LEVEL": "INFO",
        "LAMP_SERVICE_HOST": "10.0.0.1",
        "LAMP_SERVICE_PORT_HTTP": "80",
        "LAMP_PORT": "tcp://10.0.0.1:80",
        "LAMP_PORT_80_TCP_ADDR": "10.0.0.1",
    }

    assert unknown_variables(Lamp(), environ) == {}


@pytest.mark.parametrize("settings_class", ALL, ids=lambda one: one.__name__)
def test_each_process_knows_its_own_settings(settings_class: type[ProcessSettings]) -> None:
    prefix = settings_class.model_config["env_prefix"]
    environ = {f"{prefix}{name}".upper(): "1" for name in settings_class.model_fields}

    assert unknown_variables(settings_class.model_construct(), environ) == {}


def test_the_log_names_the_variable_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAMP_TOKENN", "secret-value")
    with caplog.at_level(logging.WARNING):
        warn_of_unknown(Lamp())

    assert [record.variable for record in caplog.records if hasattr(record, "variable")] == ["LAMP_TOKENN"]
    assert "LAMP_TOKEN" in caplog.text
    assert "secret-value" not in caplog.text
