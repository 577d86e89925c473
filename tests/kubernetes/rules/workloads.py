"""Objects and their names, accounts, volumes, updates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tests.kubernetes.manifests import (
    Document,
    Manifests,
    Rule,
    containers_of,
    labels_of,
    name_of,
    namespace_of,
    pod_of,
    takes,
)

CLUSTER_WIDE = ("Namespace", "PriorityClass", "PersistentVolume")
PARTS = "app.kubernetes.io/part-of"


def names_are_unique(m: Manifests) -> Iterator[tuple[Document, str]]:
    for key, count in Counter((d["kind"], namespace_of(d), name_of(d)) for d in m.documents).items():
        if count > 1:
            yield m.index[key], "is declared twice"


def namespaces_are_declared(m: Manifests) -> Iterator[tuple[Document, str]]:
    declared = {name_of(d) for d in m.of("Namespace")}
    for document in m.documents:
        if document["kind"] not in CLUSTER_WIDE and namespace_of(document) not in declared:
            yield document, f"is in the namespace {namespace_of(document)}, which nothing makes"


def selectors_take_their_pods(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.workloads:
        if not takes(workload["spec"].get("selector"), labels_of(workload)):
            yield workload, "its selector does not take its own pods"
        if PARTS in (workload["spec"].get("selector") or {}).get("matchLabels", {}):
            yield workload, f"selects by {PARTS}, which all have and nobody can change later"


def accounts_are_their_own(m: Manifests) -> Iterator[tuple[Document, str]]:
    used = Counter((namespace_of(w), pod_of(w).get("serviceAccountName", "default")) for w in m.workloads)
    for workload in m.workloads:
        account = pod_of(workload).get("serviceAccountName", "default")
        if ("ServiceAccount", namespace_of(workload), account) not in m.index:
            yield workload, f"no ServiceAccount {account} is declared"
        if used[namespace_of(workload), account] > 1:
            yield workload, f"shares the ServiceAccount {account}"
        if pod_of(workload).get("automountServiceAccountToken") is not False:
            yield workload, "gets a token of the cluster's API, which it does not call"


def priorities_are_declared(m: Manifests) -> Iterator[tuple[Document, str]]:
    declared = {name_of(d) for d in m.of("PriorityClass")}
    for workload in m.of("Deployment"):
        if pod_of(workload).get("priorityClassName") not in declared:
            yield workload, f"priority {pod_of(workload).get('priorityClassName')} is not declared"


def updates_can_end(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        strategy = workload["spec"].get("strategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        if all(str(rolling.get(key, "25%")) in ("0", "0%") for key in ("maxSurge", "maxUnavailable")):
            yield workload, "maxSurge and maxUnavailable are both 0"
        if strategy.get("type") == "Recreate" and rolling:
            yield workload, "Recreate with rollingUpdate, which the cluster refuses"
        if strategy.get("type") != "Recreate" and m.replicas(workload) == 1 and rolling.get("maxUnavailable"):
            yield workload, "its only pod is ended before the next one is ready"


def no_template_is_immutable(m: Manifests) -> Iterator[tuple[Document, str]]:
    for job in m.of("Job"):
        yield job, "a Job's pods can't change, so the next release is refused. Use an init container"


def volumes_are_there(m: Manifests) -> Iterator[tuple[Document, str]]:
    kinds = (
        ("configMap", "name", "ConfigMap"),
        ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
    )
    for workload in m.workloads:
        volumes = pod_of(workload).get("volumes", [])
        for volume in volumes:
            for key, field, kind in kinds:
                wanted = volume.get(key, {}).get(field)
                if wanted and (kind, namespace_of(workload), wanted) not in m.index:
                    yield workload, f"volume {volume['name']}: there is no {kind} {wanted}"
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield workload, f"volume {volume['name']} may fill the node's disk: it has no sizeLimit"
        mounted = {v["name"] for c in containers_of(workload) for v in c.get("volumeMounts", [])}
        for unknown in sorted(mounted - {volume["name"] for volume in volumes}):
            yield workload, f"mounts {unknown}, which is no volume of the pod"
        for unused in sorted({volume["name"] for volume in volumes} - mounted):
            yield workload, f"volume {unused} is mounted nowhere"


def claims_of_one_node_have_one_pod(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        for volume in pod_of(workload).get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName", "")
            found = m.index.get(("PersistentVolumeClaim", namespace_of(workload), claim))
            if not found or found["spec"]["accessModes"] != ["ReadWriteOnce"]:
                continue
            if m.replicas(workload) > 1 or workload["spec"].get("strategy", {}).get("type") != "Recreate":
                yield workload, f"{claim} is of one node, but a second pod may start on another"


def roots_are_writable(m: Manifests) -> Iterator[tuple[Document, str]]:
    """A process with a read-only root needs its home on a volume, and an own group on a claim it writes."""
    for workload in m.of("Deployment"):
        for container in containers_of(workload):
            home = m.settings(workload, container).get("HOME")
            mounts = {v["mountPath"] for v in container.get("volumeMounts", []) if not v.get("readOnly")}
            if home and home not in mounts:
                yield workload, f"container {container['name']}: HOME={home} can't be written"
        security = pod_of(workload).get("securityContext", {})
        if _writes_a_claim(workload) and security.get("fsGroupChangePolicy") != "OnRootMismatch":
            yield workload, "walks through its volume at each start (fsGroupChangePolicy)"


def _writes_a_claim(workload: Document) -> bool:
    claims = {v["name"] for v in pod_of(workload).get("volumes", []) if "persistentVolumeClaim" in v}
    return any(
        v["name"] in claims and not v.get("readOnly")
        for c in containers_of(workload)
        for v in c.get("volumeMounts", [])
    )


def images_are_pinned(m: Manifests) -> Iterator[tuple[Document, str]]:
    tags: dict[str, set[str]] = {}
    for workload in m.workloads:
        for container in containers_of(workload):
            name, _, tag = container["image"].rpartition(":")
            if not re.fullmatch(r"v?\d+(\.\d+)+\S*|sha256.*", tag) or "/" in tag:
                yield workload, f"image {container['image']} has no version"
            if "interview/" in name:
                tags.setdefault(tag, set()).add(name)
    if len(tags) > 1:
        odd = min(tags.values(), key=len)
        for workload in m.workloads:
            if any(c["image"].rpartition(":")[0] in odd for c in containers_of(workload)):
                yield workload, f"runs another version than the others ({', '.join(sorted(tags))})"


RULES: tuple[Rule, ...] = (
    names_are_unique,
    namespaces_are_declared,
    selectors_take_their_pods,
    accounts_are_their_own,
    priorities_are_declared,
    updates_can_end,
    no_template_is_immutable,
    volumes_are_there,
    claims_of_one_node_have_one_pod,
    roots_are_writable,
    images_are_pinned,
)
