"""What holds for `docker-compose.yml`, with no engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from chassis.setting_names import unknown_names
from chassis.settings import ProcessSettings, load_settings
from chassis.store.settings import StoreSettings
from gateway.settings import GatewaySettings
from orchestrator.stages.catalogue import settings_class as orchestrator_settings
from services.assessor.settings import AssessorSettings
from services.speaker.settings import SpeakerSettings
from services.transcriber.settings import TranscriberSettings
from services.translator.settings import TranslatorSettings
from services.vision.settings import VisionSettings
from tests.deployment.compose_file import (
    PROCESSES,
    STAGES,
    environment_of,
    read,
    services,
    variables_asked_for,
)
from tests.deployment.image_files import locked
from tests.folders import ROOT

SETTINGS: dict[str, type[ProcessSettings]] = {
    "transcriber": TranscriberSettings,
    "translator": TranslatorSettings,
    "assessor": AssessorSettings,
    "vision": VisionSettings,
    "speaker": SpeakerSettings,
    "orchestrator": orchestrator_settings(),
    "gateway": GatewaySettings,
}
READ_BY_LIBRARIES = {"HOME", "INTERVIEW_MODELS_DIR", "HF_HUB_OFFLINE", "OMP_NUM_THREADS"}
PROFILES = {
    "postgres": "postgres",
    "object-store": "object-store",
    "object-store-bucket": "object-store",
    "vllm": "vllm",
    "prometheus": "monitoring",
    "grafana": "monitoring",
}
ONE_SHOT = {"models", "object-store-bucket"}
LEAST_GRACE_S = 90
READ_BY_COMPOSE = {"COMPOSE_PROFILES"}


def declared(settings: type[BaseSettings]) -> set[str]:
    """Names of all variables that a class of settings reads."""
    prefix = settings.model_config.get("env_prefix", "")
    names: set[str] = set()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        names |= set(alias.choices) if isinstance(alias, AliasChoices) else {alias or prefix + name}  # type: ignore[arg-type]
    return {str(name).upper() for name in names}


def test_the_seven_and_what_stands_beside_them() -> None:
    assert set(services()) == {*PROCESSES, "models", *PROFILES}
    assert {name: service["profiles"] for name, service in services().items() if "profiles" in service} == {
        name: [profile] for name, profile in PROFILES.items()
    }


@pytest.mark.parametrize("name", PROCESSES)
def test_every_variable_is_a_setting_of_the_process(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = environment_of(services()[name])
    for variable, value in told.items():
        monkeypatch.setenv(variable, value)

    load_settings(SETTINGS[name])
    assert unknown_names(SETTINGS[name], told) == {}
    assert set(told) - READ_BY_LIBRARIES <= declared(SETTINGS[name]) | declared(StoreSettings)


@pytest.mark.parametrize("name", [*STAGES, "orchestrator"])
def test_the_health_check_asks_the_port_that_the_process_listens_on(name: str) -> None:
    port = str(SETTINGS[name].model_fields["port"].default)

    assert services()[name]["healthcheck"]["test"][-2:] == ["chassis.health_check", port]


@pytest.mark.parametrize("name", STAGES)
def test_the_orchestrator_calls_all_containers_of_a_stage(name: str) -> None:
    told = environment_of(services()["orchestrator"])

    assert told[f"ORCHESTRATOR_{name.upper()}_ADDRESS"] == (
        f"dns:///{name}:{SETTINGS[name].model_fields['port'].default}"
    )


def test_only_the_gateway_and_the_dashboards_publish_a_port_and_only_here() -> None:
    ports = {name: service["ports"] for name, service in services().items() if "ports" in service}

    assert set(ports) == {"gateway", "grafana"}
    assert all(port.startswith("127.0.0.1:") for listed in ports.values() for port in listed)


@pytest.mark.parametrize("name", sorted({*PROCESSES, "models", *PROFILES}))
def test_every_service_is_bounded_watched_and_stopped_with_patience(name: str) -> None:
    service = services()[name]

    assert service["mem_limit"]
    assert int(re.fullmatch(r"(\d+)s", service["stop_grace_period"])[1]) >= LEAST_GRACE_S  # type: ignore[index]
    assert service["logging"]["options"]["max-size"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "container_name" not in service  # a second one could not start
    if name not in ONE_SHOT:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", [*PROCESSES, "models"])
def test_what_is_ours_can_write_nowhere_but_where_it_has_to(name: str) -> None:
    service = services()[name]
    writable = {volume.split(":")[1] for volume in service.get("volumes", []) if not volume.endswith(":ro")}

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert writable == {
        "models": {"/models"},
        "orchestrator": {"/store", "/state"},
        "gateway": {"/store", "/spool"},
    }.get(name, set())


@pytest.mark.parametrize("name", PROCESSES)
def test_the_grace_is_longer_than_the_time_that_running_calls_get(name: str) -> None:
    service = services()[name]
    drain_s = float(environment_of(service).get(f"{name.upper()}_DRAIN_TIMEOUT_S", 0))

    assert float(service["stop_grace_period"].removesuffix("s")) >= drain_s + 15


@pytest.mark.parametrize("name", sorted({*PROCESSES, *PROFILES}))
def test_who_waits_for_another_waits_until_it_is_healthy_or_done(name: str) -> None:
    for other, how in services()[name].get("depends_on", {}).items():
        done = other in ONE_SHOT
        assert how["condition"] == ("service_completed_successfully" if done else "service_healthy")
        # What stands in a profile may be absent.
        assert ("profiles" in services()[other] and name in PROCESSES) == (how.get("required") is False)


def test_images_have_one_prefix_and_one_tag() -> None:
    told = {"INTERVIEW_IMAGE_PREFIX": "registry.example/team", "INTERVIEW_IMAGE_TAG": "7"}
    images = {name: services(told)[name]["image"] for name in (*PROCESSES, "models")}

    assert images == {name: f"registry.example/team/{name}:7" for name in images}
    assert "latest" not in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert all(":" in services()[name]["image"] for name in PROFILES)


def test_the_gpu_is_asked_for_in_a_file_of_its_own() -> None:
    assert all("deploy" not in services()[name] for name in PROCESSES)

    laid_over = read("docker-compose.gpu.yml")["services"]["transcriber"]
    (device,) = laid_over["deploy"]["resources"]["reservations"]["devices"]

    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu", "compute", "utility"]}
    assert laid_over["image"] == "interview/transcriber-gpu:0.1.0"
    assert laid_over["build"]["args"] == {"IMAGE": "transcriber-gpu"}
    assert set(environment_of(laid_over)) <= declared(TranscriberSettings)


def test_the_large_model_is_fetched_where_it_is_asked_for() -> None:
    laid_over = read("docker-compose.gpu.yml")["services"]

    assert laid_over["transcriber"]["environment"]["TRANSCRIBER_MODEL"] in laid_over["models"]["command"]
    assert environment_of(services()["transcriber"])["TRANSCRIBER_MODEL"] in services()["models"]["command"]


def test_no_setting_of_the_example_points_a_container_at_itself() -> None:
    """A container's 127.0.0.1 is the container."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    settings = [line.removeprefix("#").strip() for line in lines if re.match(r"#?\s*[A-Z_]+=", line)]

    assert settings
    assert [line for line in settings if re.search(r"127\.0\.0\.1|localhost", line)] == []


def test_every_variable_of_the_example_is_read_by_compose() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    names = {found[1] for line in lines if (found := re.match(r"#?\s*([A-Z_]+)=", line))}

    assert names - READ_BY_COMPOSE <= variables_asked_for()


@pytest.mark.parametrize("name", ["translator", "assessor"])
def test_a_language_model_on_this_machine_has_a_name_in_the_container(name: str) -> None:
    assert services()[name]["extra_hosts"] == ["host.docker.internal:host-gateway"]


def compose_version() -> tuple[int, ...]:
    if shutil.which("docker") is None:
        return ()
    command = ["docker", "compose", "version", "--short"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return (
        tuple(int(part) for part in re.findall(r"\d+", answer.stdout)[:2]) if answer.returncode == 0 else ()
    )


@pytest.mark.skipif(compose_version() < (2, 24), reason="Docker Compose 2.24 or newer is not here")
@pytest.mark.parametrize("files", [["docker-compose.yml"], ["docker-compose.yml", "docker-compose.gpu.yml"]])
def test_compose_itself_takes_the_files(files: list[str]) -> None:
    chosen: list[Any] = [part for file in files for part in ("--file", file)]
    command = ["docker", "compose", *chosen, "--profile", "*", "config", "--quiet"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_image_that_fetches_models_has_the_pip_that_it_runs() -> None:
    """No import says so: it is a process of its own."""
    assert {"pip", "setuptools"} <= set(locked("models"))
