"""One machine and a cluster are told the same: what differs is named here, with its reason."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.folders import ROOT
from tests.kubernetes.manifests import Document, Manifests, pod_of, quantity
from tests.kubernetes.processes import PROCESSES, SHARED, known_variables, memory_needed_bytes, told
from tests.kubernetes.rendering import named

OTHER_VALUES = {"GATEWAY_ALLOWED_HOSTS": "a cluster's Service has names, and one machine is called localhost"}
VARIABLE = re.compile(r"\$\{\w+:?-([^}]*)\}")


def composed() -> dict[str, Any]:
    """The processes of `docker-compose.yml`, with the defaults of its variables."""
    text = VARIABLE.sub(r"\1", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return {name: services[name] for name in PROCESSES}


def environment_of(service: Document) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in service["environment"].items()}


def on_the_cluster() -> dict[str, tuple[Document, dict[str, str]]]:
    """By process: its container, and what it is told."""
    m = Manifests(named("cpu"))
    found = {}
    for process in PROCESSES:
        workload = m.index["Deployment", "interview", process]
        found[process] = (pod_of(workload), m.settings(workload))
    return found


def effective(process: str, environment: dict[str, str]) -> dict[str, str]:
    """What a process makes of an environment, defaults included, and what libraries read of it."""
    fields = told(process, environment).model_dump()
    shared = {name: environment.get(name, "") for name in SHARED}
    return shared | {f"{process}_{name}".upper(): str(value) for name, value in fields.items()}


def test_both_are_told_the_same() -> None:
    there = on_the_cluster()
    different = [
        f"{name}: compose {here[name]!r}, k8s {cluster[name]!r}"
        for process, service in composed().items()
        for here, cluster in [
            (effective(process, environment_of(service)), effective(process, there[process][1]))
        ]
        for name in sorted(here.keys() - OTHER_VALUES.keys())
        if here[name] != cluster[name]
    ]

    assert different == []


def test_what_is_allowed_to_differ_does() -> None:
    there = on_the_cluster()
    for name in OTHER_VALUES:
        process = name.partition("_")[0].lower()
        assert environment_of(composed()[process])[name] != there[process][1][name]


def test_every_variable_of_compose_is_a_setting() -> None:
    unknown = {
        f"{process}: {name}"
        for process, service in composed().items()
        for name in environment_of(service).keys() - known_variables(process)
    }

    assert unknown == set()


def test_both_have_the_same_memory_and_it_holds_the_children() -> None:
    there = on_the_cluster()
    for process, service in composed().items():
        limit = quantity(str(service["mem_limit"]).upper() + "i")
        assert limit == quantity(there[process][0]["containers"][0]["resources"]["limits"]["memory"]), process
        assert limit >= memory_needed_bytes(process, environment_of(service)), process


def test_work_under_way_can_end_on_one_machine_too() -> None:
    for process, service in composed().items():
        grace_s = int(service["stop_grace_period"].removesuffix("s"))
        assert grace_s > getattr(told(process, environment_of(service)), "drain_timeout_s", 30), process


def test_a_language_model_beside_them_is_the_same() -> None:
    text = VARIABLE.sub(r"\1", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    command = yaml.safe_load(text)["services"]["vllm"]["command"]
    (line,) = (ROOT / "k8s/components/vllm/settings.env").read_text(encoding="utf-8").splitlines()

    assert line == f"LLM_MODEL={command[command.index('--model') + 1]}"
