"""What processes are told: names, values, references, and what several of them have to agree on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.kubernetes.manifests import (
    Document,
    Manifests,
    Rule,
    containers_of,
    labels_of,
    name_of,
    namespace_of,
    pod_of,
    process_of,
)
from tests.kubernetes.processes import PROCESSES, SettingsError, known_variables, told

BROUGHT_BY_THE_OPERATOR = frozenset(
    {"interview-secrets", "interview-postgres", "interview-store", "gateway-keys", "gateway-cookies"}
)
"""Secrets that docs/kubernetes.md says how to make. No secret is in a manifest."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a pod is told
OPTIONAL = frozenset({"interview-secrets", "interview-store"})
MODEL_SETTINGS = {
    "transcriber": ("model",),
    "vision": ("landmarker_model", "detector_model"),
    "speaker": ("model",),
}


def references_are_there(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.workloads:
        for container in containers_of(workload):
            entries = container.get("env", [])
            for name, count in Counter(entry["name"] for entry in entries).items():
                if count > 1:
                    yield workload, f"{name} is set twice"
            sources = [(s, "Ref") for s in container.get("envFrom", [])]
            sources += [(e.get("valueFrom") or {}, "KeyRef") for e in entries]
            for source, ending in sources:
                yield from ((workload, text) for text in _missing(m, workload, source, ending))


def _missing(m: Manifests, workload: Document, source: Document, ending: str) -> Iterator[str]:
    config, secret = source.get(f"configMap{ending}"), source.get(f"secret{ending}")
    if config:
        if ("ConfigMap", namespace_of(workload), config["name"]) not in m.index:
            yield f"there is no ConfigMap {config['name']}"
        elif "key" in config and config["key"] not in m.data(workload, config["name"]):
            yield f"ConfigMap {config['name']} has no {config['key']}"
    if secret and secret["name"] not in BROUGHT_BY_THE_OPERATOR:
        yield f"Secret {secret['name']} is in no manifest and not in docs/kubernetes.md"
    if secret and secret["name"] in OPTIONAL and not secret.get("optional"):
        yield f"does not start without the Secret {secret['name']}, which is optional"


def settings_roll_the_pods(m: Manifests) -> Iterator[tuple[Document, str]]:
    for config in m.of("ConfigMap"):
        if not re.search(r"-[a-z0-9]{10}$", name_of(config)):
            yield config, "has no digest in its name, so its change reaches no running pod"
    for secret in m.of("Secret"):
        yield secret, "is a secret in a manifest"


def settings_are_declared(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        process = process_of(workload)
        if process not in PROCESSES:
            continue
        for name in sorted(set(m.settings(workload)) - known_variables(process)):
            yield workload, f"{name} is no setting of the {process}"
        try:
            told(process, m.settings(workload))
        except SettingsError as error:
            yield workload, str(error)


def secrets_are_references(m: Manifests) -> Iterator[tuple[Document, str]]:
    secret = re.compile(r"(API_KEY|TOKEN|PASSWORD|SECRET|SECRET_ACCESS_KEY)S?$")
    for document in m.of("ConfigMap"):
        for name, value in (document.get("data") or {}).items():
            if value and (secret.search(name) or re.search(r"://[^/@\s]+:[^/@\s]+@", str(value))):
                yield document, f"{name} is a secret in plain text"


def metrics_are_served(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        process = process_of(workload)
        if process in PROCESSES:
            told_port = m.settings(workload).get(f"{process.upper()}_METRICS_PORT")
            ports = {
                p.get("name"): str(p["containerPort"])
                for c in containers_of(workload)
                for p in c.get("ports", [])
            }
            if told_port is None or ports.get("metrics") != told_port:
                yield workload, f"serves metrics on {told_port}, and names {ports.get('metrics')}"
            if m.settings(workload).get(f"{process.upper()}_METRICS_HOST") != EVERYWHERE:
                yield workload, "serves metrics to itself alone"


def models_are_fetched(m: Manifests) -> Iterator[tuple[Document, str]]:
    """What a stage loads is what its init container brings, and what the node's cache holds."""
    cached = [c for d in m.of("DaemonSet") for c in containers_of(d) if c["name"] == "models"]
    for workload in m.of("Deployment"):
        process = process_of(workload)
        if process not in MODEL_SETTINGS:
            continue
        settings = told(process, m.settings(workload))
        wanted = {str(getattr(settings, field)) for field in MODEL_SETTINGS[process]}
        brought = [_fetched(m, workload, c) for c in pod_of(workload).get("initContainers", [])]
        for missing in sorted(wanted - set().union(*brought)):
            yield workload, f"loads {missing}, which its init container does not bring"
        for container in cached:
            for missing in sorted(wanted - set(container.get("args", []))):
                yield workload, f"loads {missing}, which the node's cache does not hold"


def _fetched(m: Manifests, workload: Document, container: Document) -> set[str]:
    known = m.settings(workload, container)
    return {
        re.sub(r"\$\((\w+)\)", lambda found: known.get(found[1], found[0]), a)
        for a in container.get("args", [])
    }


def language_model_is_wired(m: Manifests) -> Iterator[tuple[Document, str]]:
    served = [w for w in m.of("Deployment") if name_of(w) == "vllm"]
    for workload in m.of("Deployment"):
        if process_of(workload) not in ("translator", "assessor"):
            continue
        values = m.settings(workload)
        if {"LLM_BASE_URL", "LLM_MODEL", "LLM_SCHEMA_DIALECT"} - set(values):
            yield workload, "is not told of the language model (LLM_…)"
        for server in served:
            host = urlsplit(values.get("LLM_BASE_URL", "")).hostname
            if host != name_of(server) or values.get("LLM_SCHEMA_DIALECT") != "structured_outputs":
                yield workload, "a language model runs beside it, and it is told of another or of none"
            if values.get("LLM_MODEL") != m.settings(server).get("LLM_MODEL"):
                yield workload, "asks for another model than the one that is served"


def orchestrators_share_a_database(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        if process_of(workload) != "orchestrator":
            continue
        env = {e["name"]: e for e in pod_of(workload)["containers"][0].get("env", [])}
        postgres = "valueFrom" in env.get("ORCHESTRATOR_DATABASE_URL", {})
        named = (
            env.get("ORCHESTRATOR_EXECUTOR_ID", {}).get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        )
        if not postgres and m.replicas(workload) > 1:
            yield workload, "several would write one SQLite file"
        if not postgres and workload["spec"].get("strategy", {}).get("type") != "Recreate":
            yield workload, "during an update two would write one SQLite file"
        if postgres and named != "metadata.name":
            yield workload, "its replicas don't have names of their own (ORCHESTRATOR_EXECUTOR_ID)"
        migrates = any(
            "migrate" in (c.get("command") or []) for c in pod_of(workload).get("initContainers", [])
        )
        if m.settings(workload).get("ORCHESTRATOR_MIGRATE_AT_START") == "false" and not migrates:
            yield workload, "nobody makes its tables"
        if postgres and labels_of(workload).get("interview/uses-postgres") != "true":
            yield workload, "no policy lets it out to its database"


RULES: tuple[Rule, ...] = (
    references_are_there,
    settings_roll_the_pods,
    settings_are_declared,
    secrets_are_references,
    metrics_are_served,
    models_are_fetched,
    language_model_is_wired,
    orchestrators_share_a_database,
)
