"""Rendered documents with an index: which pods a selector takes, which settings a container gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
UNITS = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
ADDRESS = re.compile(r"(?:^|///|//|,)([a-z][a-z0-9-]*)(?:\.[a-z0-9.-]+)?:(\d{2,5})(?=$|/|,)")
"""A host of this cluster and its port: `dns:///vision:50054`, `http://vllm:8000/v1`."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with an object."""

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} ({self.rule})"


Rule = Callable[["Manifests"], Iterator[tuple[Document, str]]]


def quantity(text: object) -> float:
    """Return the number of a Kubernetes quantity such as `512Mi` or `100m`."""
    found = re.fullmatch(r"([\d.]+)([A-Za-z]*)", str(text))
    if found is None or found[2] not in UNITS:
        raise ValueError(f"not a quantity: {text}")
    return float(found[1]) * UNITS[found[2]]


def name_of(document: Document) -> str:
    return str(document["metadata"]["name"])


def namespace_of(document: Document) -> str:
    return str(document["metadata"].get("namespace", "default"))


def pod_of(workload: Document) -> Document:
    spec: Document = workload["spec"]["template"]["spec"]
    return spec


def labels_of(workload: Document) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"].get("labels") or {}


def containers_of(workload: Document) -> list[Document]:
    return [*pod_of(workload)["containers"], *pod_of(workload).get("initContainers", [])]


def process_of(workload: Document) -> str:
    return labels_of(workload).get("app.kubernetes.io/name", name_of(workload))


def takes(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector takes these labels. An absent one takes none, an empty one all."""
    if selector is None:
        return False
    for expression in selector.get("matchExpressions") or []:
        value, values = labels.get(expression["key"]), expression.get("values", [])
        held = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not held[expression["operator"]]:
            return False
    return (selector.get("matchLabels") or {}).items() <= labels.items()


class Manifests:
    """All documents of one variant."""

    def __init__(self, documents: list[Document]) -> None:
        self.documents = documents
        self.index = {(d["kind"], namespace_of(d), name_of(d)): d for d in documents}

    def of(self, *kinds: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] in kinds]

    @property
    def workloads(self) -> list[Document]:
        return self.of("Deployment", "StatefulSet", "DaemonSet", "Job")

    def selected(self, document: Document, selector: Mapping[str, Any] | None) -> list[Document]:
        """The workloads of the document's namespace whose pods the selector takes."""
        return [
            workload
            for workload in self.workloads
            if namespace_of(workload) == namespace_of(document) and takes(selector, labels_of(workload))
        ]

    def behind(self, service: Document) -> list[Document]:
        """The workloads behind a Service."""
        return self.selected(service, {"matchLabels": service["spec"]["selector"]})

    def replicas(self, workload: Document) -> int:
        """How many pods there are at least, autoscalers included."""
        scaled = [
            d["spec"].get("minReplicaCount", d["spec"].get("minReplicas", 1))
            for d in self.of("ScaledObject", "HorizontalPodAutoscaler")
            if d["spec"]["scaleTargetRef"]["name"] == name_of(workload)
        ]
        return int(max([workload["spec"].get("replicas", 1), *scaled]))

    def settings(self, workload: Document, container: Document | None = None) -> dict[str, str]:
        """Name and value of what a container's environment holds. Values of Secrets are empty."""
        found: dict[str, str] = {}
        for one in [container] if container else pod_of(workload)["containers"]:
            for source in one.get("envFrom", []):
                if "configMapRef" in source:
                    found |= self.data(workload, source["configMapRef"]["name"])
            for entry in one.get("env", []):
                reference = (entry.get("valueFrom") or {}).get("configMapKeyRef")
                value = self.data(workload, reference["name"]).get(reference["key"]) if reference else None
                found[entry["name"]] = str(value if reference else entry.get("value", ""))
        return found

    def data(self, beside: Document, config_map: str) -> dict[str, str]:
        """The data of a ConfigMap in an object's namespace. Empty where there is none."""
        document = self.index.get(("ConfigMap", namespace_of(beside), config_map), {})
        return document.get("data") or {}

    def problems(self, rules: Mapping[str, Rule]) -> list[Problem]:
        """Everything that the rules find."""
        return [
            Problem(name, f"{document['kind']}/{name_of(document)}", message)
            for name, rule in rules.items()
            for document, message in rule(self)
        ]
