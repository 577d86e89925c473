"""How many pods there are, and on what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.workflow import STAGES
from tests.kubernetes.manifests import Document, Manifests, Rule, containers_of, name_of, namespace_of, pod_of

GPU = "nvidia.com/"


def drains_can_end(m: Manifests) -> Iterator[tuple[Document, str]]:
    for budget in m.of("PodDisruptionBudget"):
        spec = budget["spec"]
        taken = m.selected(budget, spec.get("selector"))
        if len(taken) != 1:
            yield budget, f"takes {len(taken)} workloads, and has to take one"
        for workload in taken:
            if spec.get("minAvailable") in (m.replicas(workload), "100%") or spec.get("maxUnavailable") in (
                0,
                "0%",
            ):
                yield budget, "no node with such a pod can ever be drained"


def drains_take_turns(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment", "StatefulSet"):
        if not any(workload in m.selected(b, b["spec"].get("selector")) for b in m.of("PodDisruptionBudget")):
            yield workload, "a drain of nodes may take all its pods at once"


def scalers_have_targets(m: Manifests) -> Iterator[tuple[Document, str]]:
    for scaler in m.of("ScaledObject", "HorizontalPodAutoscaler"):
        spec = scaler["spec"]
        target = m.index.get(("Deployment", namespace_of(scaler), spec["scaleTargetRef"]["name"]))
        if target is None:
            yield scaler, f"there is no Deployment {spec['scaleTargetRef']['name']}"
        elif "replicas" in target["spec"]:
            yield scaler, "each apply sets the number of pods back (replicas)"
        if not 1 <= spec.get("minReplicaCount", 0) <= spec.get("maxReplicaCount", 100):
            yield scaler, "its least number of pods is 0, or above its largest"


def scalers_ask_for_what_is_there(m: Manifests) -> Iterator[tuple[Document, str]]:
    for scaler in m.of("ScaledObject"):
        spec = scaler["spec"]
        if not spec.get("fallback"):
            yield scaler, "without Prometheus the number of pods stands still (fallback)"
        elif spec["fallback"]["replicas"] > spec.get("maxReplicaCount", 100):
            yield scaler, "falls back to more pods than it may have"
        for trigger in spec["triggers"]:
            query = trigger["metadata"]["query"]
            for stage in re.findall(r'stage="([^"]*)"', query):
                if stage not in STAGES:
                    yield scaler, f"asks for the stage {stage}, which does not exist"
            if "interview_stage_waiting_answers" not in query:
                yield scaler, "does not ask for what waits"
            if float(trigger["metadata"]["threshold"]) <= 0:
                yield scaler, "has a threshold of 0"


def gpus_are_asked_for_rightly(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.workloads:
        asked = [(c, n) for c in containers_of(workload) for n in _gpus(c)]
        for container in pod_of(workload).get("initContainers", []):
            if _gpus(container):
                yield workload, f"init container {container['name']} takes a GPU"
        if asked and not any(
            t.get("key") == "nvidia.com/gpu" for t in pod_of(workload).get("tolerations", [])
        ):
            yield workload, "GPU nodes don't take it (toleration nvidia.com/gpu)"
        for container, name in asked:
            yield from ((workload, text) for text in _wrong(container, name))
        if "-gpu:" in pod_of(workload)["containers"][0]["image"] and not asked:
            yield workload, "has an image for GPUs, and asks for none"
        if name_of(workload) == "transcriber" and asked:
            cuda = m.settings(workload).get("TRANSCRIBER_DEVICE") == "cuda"
            if not cuda or "-gpu:" not in pod_of(workload)["containers"][0]["image"]:
                yield workload, "takes a GPU without the image for it, or may quietly run on the CPU"


def _gpus(container: Document) -> set[str]:
    resources = container.get("resources") or {}
    return {n for k in ("limits", "requests") for n in resources.get(k) or {} if n.startswith(GPU)}


def _wrong(container: Document, name: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    limit, request = ((resources.get(k) or {}).get(name) for k in ("limits", "requests"))
    if limit is None or not str(limit).isdigit():
        yield f"{name}: {limit} is not a whole number under limits"
    if request is not None and str(request) != str(limit):
        yield f"{name}: request and limit differ"
    if len(_gpus(container)) > 1:
        yield "asks for two kinds of GPU"


def the_only_transcriber_stays(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        if not any(_gpus(c) for c in containers_of(workload)) or name_of(workload) != "transcriber":
            continue
        rolling = workload["spec"].get("strategy", {}).get("rollingUpdate") or {}
        surge, away = rolling.get("maxSurge"), rolling.get("maxUnavailable")
        if away and away >= m.replicas(workload):
            yield workload, "an update ends the last transcriber before another one is ready"
        if not surge:
            yield workload, "an update never uses a GPU that is free (maxSurge)"


RULES: tuple[Rule, ...] = (
    drains_can_end,
    drains_take_turns,
    scalers_have_targets,
    scalers_ask_for_what_is_there,
    gpus_are_asked_for_rightly,
    the_only_transcriber_stays,
)
