"""A variable that looks like a setting and is none: its author believes in a limit that nobody holds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from chassis.errors import InvalidInputError
from chassis.setting_names import made_by_kubernetes, unknown_names
from chassis.settings import ProcessSettings, ServiceSettings, SettingsError, load_settings
from chassis.store.settings import load_store_settings
from gateway.settings import GatewaySettings
from orchestrator.stages.catalogue import settings_class as orchestrator_settings_class
from services.assessor.settings import AssessorSettings
from services.speaker.settings import SpeakerSettings
from services.transcriber.settings import TranscriberSettings
from services.translator.settings import TranslatorSettings
from services.vision.settings import VisionSettings
from tests.folders import ROOT

ALL: list[type[ProcessSettings]] = [
    GatewaySettings,
    orchestrator_settings_class(),
    AssessorSettings,
    SpeakerSettings,
    TranscriberSettings,
    TranslatorSettings,
    VisionSettings,
]
SERVICE_LINKS = {
    "LAMP_SERVICE_HOST": "10.0.0.1",
    "LAMP_SERVICE_PORT": "80",
    "LAMP_SERVICE_PORT_HTTP": "80",
    "LAMP_PORT": "tcp://10.0.0.1:80",
    "LAMP_PORT_80_TCP": "tcp://10.0.0.1:80",
    "LAMP_PORT_80_TCP_PROTO": "tcp",
    "LAMP_PORT_80_TCP_PORT": "80",
    "LAMP_PORT_80_TCP_ADDR": "10.0.0.1",
    "LAMP_GPU_SERVICE_HOST": "fd00::1",
    "LAMP_METRICS_PORT": "tcp://[fd00::1]:9464",
}
"""What the kubelet gives a pod beside Services `lamp`, `lamp-gpu` and `lamp-metrics`."""


class Lamp(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="LAMP_", frozen=True, extra="ignore")

    port: int = 80
    max_watts: float = 5.0
    token: str = Field("", validation_alias=AliasChoices("LAMP_TOKEN", "TOKEN"))


def refusal_of(monkeypatch: pytest.MonkeyPatch, **environ: str) -> str:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings(Lamp)
    return str(refused.value)


def test_a_misspelt_setting_is_refused_with_the_one_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal_of(monkeypatch, LAMP_MAX_WATT="60", LAMP_MAX_WATTS="60")

    assert said == (
        "These settings are wrong:\n  LAMP_MAX_WATT: no setting has this name. Use LAMP_MAX_WATTS."
    )


def test_what_is_close_to_nothing_gets_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal_of(monkeypatch, LAMP_ZZZZ="60").endswith(
        "LAMP_ZZZZ: no setting has this name. Remove it, or correct it."
    )


def test_misspelt_names_and_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal_of(monkeypatch, LAMP_TOKENN="secret-value", LAMP_MAX_WATTS="many", LAMP_PORTS="1")

    assert [line.partition(":")[0].strip() for line in said.splitlines()[1:]] == [
        "LAMP_PORTS",
        "LAMP_TOKENN",
        "LAMP_MAX_WATTS",
    ]
    assert "secret-value" not in said


def test_a_misspelt_file_of_the_secrets_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "LAMP_TOKENS").write_text("secret-value")
    (tmp_path / "OTHER_TOKENS").write_text("of another process")

    said = refusal_of(monkeypatch, INTERVIEW_SECRETS_DIR=str(tmp_path))

    assert said.splitlines()[1:] == ["  LAMP_TOKENS: no setting has this name. Use LAMP_TOKEN."]


def test_names_of_other_processes_in_one_env_file_are_no_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRANSCRIBER_MODEL", "GATEWAY_PUBLISHED_PORT", "LAMPS", "INTERVIEW_IMAGE_TAG", "LLM_MODEL"):
        monkeypatch.setenv(name, "1")

    assert load_settings(Lamp).max_watts == 5.0


def test_what_kubernetes_makes_of_services_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICE_LINKS.items():
        monkeypatch.setenv(name, value)

    settings = load_settings(Lamp)

    assert (settings.port, settings.metrics_port) == (80, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAMP_SERVICE_HOST", "lamp.example"),
        ("LAMP_SERVICE_PORT", "http"),
        ("LAMP_GPU_PORT", "80"),
        ("LAMP_PORT_80_TCP", "10.0.0.1"),
        ("LAMP_PORT_80_TCP_PROTO", "http"),
    ],
)
def test_only_exactly_what_kubernetes_makes_is_left_out(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert name in refusal_of(monkeypatch, **{name: value})


def test_a_port_that_a_person_set_wrongly_is_still_a_wrong_value(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "LAMP_PORT: " in refusal_of(monkeypatch, LAMP_PORT="http")


@pytest.mark.parametrize("settings_class", ALL, ids=lambda one: one.__name__)
def test_each_process_knows_its_own_settings(settings_class: type[ProcessSettings]) -> None:
    prefix = settings_class.model_config["env_prefix"]
    environ = {f"{prefix}{name}".upper(): "1" for name in settings_class.model_fields}

    assert unknown_names(settings_class, environ) == {}
    assert not any(made_by_kubernetes(name, "1") for name in environ), "a setting looks like a service link"


def test_a_misspelt_setting_of_the_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PART_BYTE", "5242880")

    with pytest.raises(
        InvalidInputError, match=r"STORE_PART_BYTE: no setting has this name\. Use STORE_PART_BYTES\."
    ):
        load_store_settings()


def test_what_compose_reads_from_an_env_file_stops_no_process() -> None:
    """`interview up` and compose read the same `.env`."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)", compose), "1")

    assert "GATEWAY_PUBLISHED_PORT" in environ
    for settings_class in ALL:
        assert unknown_names(settings_class, environ, settings_class.names_of_others) == {}


def test_a_process_with_a_misspelt_setting_ends_at_its_start() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.translator"],
        cwd=ROOT,
        env={
            "PATH": "",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}",
            "TRANSLATOR_DEVISE": "cuda",
            "TRANSLATOR_PORT": "0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 2
    assert "TRANSLATOR_DEVISE: no setting has this name." in ended.stdout
    assert len(ended.stdout.splitlines()) == 1, "one record, and no traceback"
