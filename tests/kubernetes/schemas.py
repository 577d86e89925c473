"""Checks documents strictly against a Kubernetes version, those of operators against what is used of them.

The schemas are those of the package `kubernetes-validate`. Its own function reads some megabytes for each
object. Here each file is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from referencing import Registry, Resource

Document = dict[str, Any]
OLDEST = "1.30"
"""From it on the pause before the end (`preStop: sleep`) is on by default."""
NEWEST = "1.37"


def _object(required: tuple[str, ...] = (), **properties: Any) -> Document:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT, NUMBER, ANYTHING = {"type": "string"}, {"type": "integer"}, {"type": "object"}
OF_OPERATORS: dict[str, Document] = {
    # https://keda.sh/docs/2.17/reference/scaledobject-spec/ and its Prometheus trigger
    "keda.sh/v1alpha1/ScaledObject": _object(
        ("scaleTargetRef", "triggers"),
        scaleTargetRef=_object(("name",), name=TEXT),
        pollingInterval=NUMBER,
        cooldownPeriod=NUMBER,
        minReplicaCount=NUMBER,
        maxReplicaCount=NUMBER,
        fallback=_object(("failureThreshold", "replicas"), failureThreshold=NUMBER, replicas=NUMBER),
        advanced=_object(horizontalPodAutoscalerConfig=_object(behavior=ANYTHING)),
        triggers={
            "type": "array",
            "items": _object(
                ("type", "metadata"),
                type={"const": "prometheus"},
                # A trigger's metadata are texts, numbers too.
                metadata=_object(
                    ("serverAddress", "query", "threshold"), serverAddress=TEXT, query=TEXT, threshold=TEXT
                ),
            ),
        },
    ),
    # https://prometheus-operator.dev/docs/api-reference/api/
    "monitoring.coreos.com/v1/PodMonitor": _object(
        ("selector", "podMetricsEndpoints"),
        selector=ANYTHING,
        podTargetLabels={"type": "array", "items": TEXT},
        podMetricsEndpoints={
            "type": "array",
            "items": _object(("port",), port=TEXT, path=TEXT, interval=TEXT, scrapeTimeout=TEXT),
        },
    ),
    "monitoring.coreos.com/v1/PrometheusRule": _object(
        ("groups",), groups={"type": "array", "items": ANYTHING}
    ),
}


def faults(document: Document, version: str) -> Iterator[str]:
    """Yield what a version of Kubernetes would refuse in a document, unknown fields included."""
    validator = _of_operators(document) or _validator(
        version, document["kind"].lower(), re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", document["apiVersion"])
    )
    checked = document["spec"] if _of_operators(document) else document
    for error in validator.iter_errors(checked):
        yield f"{document['kind']}/{document['metadata']['name']}: {error.json_path}: {error.message[:200]}"


def _of_operators(document: Document) -> Any:
    schema = OF_OPERATORS.get(f"{document['apiVersion']}/{document['kind']}")
    return jsonschema.Draft202012Validator(schema) if schema else None


@cache
def _validator(version: str, kind: str, api_version: str) -> Any:
    from kubernetes_validate.utils import schema_contents

    folder = f"v{version}.0-local-strict"
    schema = schema_contents(f"kubernetes-json-schema/{folder}/{kind}-{api_version}.json", version)
    registry = Resource.from_contents(schema) @ _definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _definitions(version: str) -> Any:
    from kubernetes_validate.utils import schema_contents

    folder = f"v{version}.0-local-strict"
    read = schema_contents(f"kubernetes-json-schema/{folder}/_definitions.json", version)
    registry: Any = Registry()
    return Resource.from_contents(read) @ registry
