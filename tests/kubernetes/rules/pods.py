"""What a pod may do, what it gets, how it is watched and ended."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kubernetes.manifests import (
    Document,
    Manifests,
    Rule,
    containers_of,
    name_of,
    namespace_of,
    pod_of,
    process_of,
    quantity,
)
from tests.kubernetes.processes import PROCESSES, memory_needed_bytes, told

PATIENCE_S = 60
"""A liveness probe that waits so long for a process that is up is patient enough."""
END_MARGIN_S = 10
"""For what a process does once its calls have ended."""
ENFORCE = "pod-security.kubernetes.io/enforce"
DRAIN_OF_GATEWAY_S = 30
"""`gateway/server.py`"""


def pods_are_restricted(m: Manifests) -> Iterator[tuple[Document, str]]:
    strict = {
        name_of(d)
        for d in m.of("Namespace")
        if (d["metadata"].get("labels") or {}).get(ENFORCE) == "restricted"
    }
    if not strict:
        yield m.of("Namespace")[0], "no namespace is `restricted`"
    for workload in (w for w in m.workloads if namespace_of(w) in strict):
        for volume in pod_of(workload).get("volumes", []):
            if "hostPath" in volume:
                yield workload, f"volume {volume['name']} is a folder of the node"
        for container in containers_of(workload):
            for wanted in _missing(pod_of(workload).get("securityContext", {}), container):
                yield workload, f"container {container['name']}: restricted wants {wanted}"


def _missing(of_pod: Document, container: Document) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**of_pod, **own}
    if not both.get("runAsNonRoot") or not both.get("runAsUser"):
        yield "runAsNonRoot and a number in runAsUser"
    if (both.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
        yield "the seccompProfile RuntimeDefault"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation: false"
    if (own.get("capabilities") or {}).get("drop") != ["ALL"] or (own.get("capabilities") or {}).get("add"):
        yield "no capabilities"
    if not own.get("readOnlyRootFilesystem"):
        yield "readOnlyRootFilesystem"


def services_leave_no_variables(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.workloads:
        if pod_of(workload).get("enableServiceLinks") is not False:
            yield workload, "a Service would set variables such as GATEWAY_PORT (enableServiceLinks)"


def resources_are_stated(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.workloads:
        for container in containers_of(workload):
            at = f"container {container['name']}"
            limits, requests = (
                (container.get("resources") or {}).get(k) or {} for k in ("limits", "requests")
            )
            if "memory" not in limits or not {"memory", "cpu"} <= set(requests):
                yield workload, f"{at} states no memory limit, or no request of CPU and memory"
            for name in set(limits) & set(requests):
                if quantity(requests[name]) > quantity(limits[name]):
                    yield workload, f"{at} requests more {name} than its limit"


def memory_holds_the_children(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload, container, process in _processes(m):
        limit = quantity(container.get("resources", {}).get("limits", {}).get("memory", 0))
        needed = memory_needed_bytes(process, m.settings(workload))
        if needed > limit:
            yield (
                workload,
                f"its memory limit has {limit / 2**20:.0f} MiB, and it may need {needed / 2**20:.0f}",
            )


def probes_are_patient(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment", "StatefulSet"):
        for container in pod_of(workload)["containers"]:
            ports = {x for p in container.get("ports", []) for x in (p.get("name"), p["containerPort"])}
            probes = {k: container.get(f"{k}Probe") for k in ("startup", "readiness", "liveness")}
            for kind, probe in probes.items():
                if probe is None:
                    yield workload, f"has no {kind}Probe"
                    continue
                port = (probe.get("grpc") or probe.get("httpGet") or {}).get("port")
                if port not in ports:
                    yield workload, f"{kind}Probe asks port {port}, which is no port of the container"
                if probe.get("timeoutSeconds", 1) <= 1:
                    yield workload, f"{kind}Probe: a second is short for a process under load"
            if all(probes.values()):
                yield from ((workload, text) for text in _tighter(probes))


def _tighter(probes: dict[str, Document | None]) -> Iterator[str]:
    startup, liveness = probes["startup"] or {}, probes["liveness"] or {}
    if liveness.get("timeoutSeconds", 1) < startup.get("timeoutSeconds", 1):
        yield "liveness gives an answer less time than the start does"
    if _patience_s(liveness) < min(PATIENCE_S, _patience_s(startup)):
        yield f"liveness ends a process that is silent for {_patience_s(liveness)} s"


def _patience_s(probe: Document) -> int:
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))


def work_under_way_can_end(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload, container, process in _processes(m):
        hook = container.get("lifecycle", {}).get("preStop", {})
        pause_s = hook.get("sleep", {}).get("seconds", 0)
        if not pause_s:
            yield workload, "is ended before its callers hear of it (no preStop)"
        settings = told(process, m.settings(workload))
        drain_s = getattr(settings, "drain_timeout_s", DRAIN_OF_GATEWAY_S) + getattr(
            settings, "drain_delay_s", 0
        )
        grace_s = pod_of(workload).get("terminationGracePeriodSeconds", 30)
        if grace_s < pause_s + drain_s + END_MARGIN_S:
            yield (
                workload,
                f"has {grace_s} s to end, and {pause_s} + {drain_s:g} + {END_MARGIN_S} s to do until then",
            )


def replicas_are_spread(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        spread = pod_of(workload).get("topologySpreadConstraints", [])
        if m.replicas(workload) > 1 and not any(
            workload in m.selected(workload, constraint.get("labelSelector")) for constraint in spread
        ):
            yield workload, "its pods may all be on one node"


def _processes(m: Manifests) -> Iterator[tuple[Document, Document, str]]:
    """Every Deployment of one of ours, with its container and the process's name."""
    for workload in m.of("Deployment"):
        process = process_of(workload)
        if process in PROCESSES:
            yield workload, pod_of(workload)["containers"][0], process


RULES: tuple[Rule, ...] = (
    pods_are_restricted,
    services_leave_no_variables,
    resources_are_stated,
    memory_holds_the_children,
    probes_are_patient,
    work_under_way_can_end,
    replicas_are_spread,
)
