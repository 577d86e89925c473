"""Faults that people make in manifests: for each the rule that finds it, a variant, and how it is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.kubernetes.manifests import Document, name_of

NGINX = "nginx.ingress.kubernetes.io/"


class Cluster:
    """A rendered variant that is broken on purpose."""

    def __init__(self, documents: list[Document]) -> None:
        self.documents = copy.deepcopy(documents)

    def of(self, kind: str, name: str) -> Document:
        return next(
            d
            for d in self.documents
            if d["kind"] == kind and (name_of(d) == name or name_of(d).rpartition("-")[0] == name)
        )

    def spec(self, name: str) -> Any:
        return self.of("Deployment", name)["spec"]

    def pod(self, name: str) -> Any:
        return self.spec(name)["template"]["spec"]

    def container(self, name: str) -> Any:
        return self.pod(name)["containers"][0]

    def settings(self, name: str) -> Any:
        return self.of("ConfigMap", name)["data"]

    def policy(self, name: str) -> Any:
        return self.of("NetworkPolicy", name)["spec"]

    def without(self, kind: str, name: str) -> None:
        self.documents.remove(self.of(kind, name))


def _put(target: Any, key: str, value: Any) -> None:
    target[key] = value


Breaks = Callable[[Cluster], Any]
FAULTS: list[tuple[str, str, Breaks]] = [
    ("names_are_unique", "cpu", lambda c: c.documents.append(c.of("Service", "vision"))),
    ("namespaces_are_declared", "cpu", lambda c: c.without("Namespace", "interview")),
    ("selectors_take_their_pods", "cpu", lambda c: c.spec("vision")["selector"]["matchLabels"].update(x="y")),
    ("accounts_are_their_own", "cpu", lambda c: c.without("ServiceAccount", "speaker")),
    ("accounts_are_their_own", "cpu", lambda c: _put(c.pod("vision"), "serviceAccountName", "speaker")),
    ("accounts_are_their_own", "cpu", lambda c: c.pod("vision").pop("automountServiceAccountToken")),
    ("priorities_are_declared", "cpu", lambda c: c.without("PriorityClass", "interview-stages")),
    ("updates_can_end", "cpu", lambda c: c.spec("vision")["strategy"]["rollingUpdate"].update(maxSurge=0)),
    (
        "updates_can_end",
        "cpu",
        lambda c: c.spec("vision")["strategy"]["rollingUpdate"].update(maxUnavailable=1),
    ),
    ("no_template_is_immutable", "cpu", lambda c: _put(c.of("Deployment", "vision"), "kind", "Job")),
    ("volumes_are_there", "cpu", lambda c: c.without("PersistentVolumeClaim", "store")),
    ("volumes_are_there", "cpu", lambda c: _put(c.container("vision")["volumeMounts"][0], "name", "stroe")),
    ("claims_of_one_node_have_one_pod", "cpu", lambda c: _put(c.spec("orchestrator"), "replicas", 2)),
    ("roots_are_writable", "cpu", lambda c: _put(c.settings("vision"), "HOME", "/home/vision")),
    (
        "roots_are_writable",
        "cpu",
        lambda c: c.pod("gateway")["securityContext"].pop("fsGroupChangePolicy"),
    ),
    ("images_are_pinned", "cpu", lambda c: _put(c.container("vision"), "image", "interview/vision:latest")),
    ("images_are_pinned", "cpu", lambda c: _put(c.container("vision"), "image", "interview/vision:0.2.0")),
    ("pods_are_restricted", "cpu", lambda c: c.container("vision").pop("securityContext")),
    ("pods_are_restricted", "cpu", lambda c: c.pod("vision")["securityContext"].pop("runAsUser")),
    ("pods_are_restricted", "cpu", lambda c: c.of("Namespace", "interview")["metadata"].pop("labels")),
    ("services_leave_no_variables", "cpu", lambda c: c.pod("gateway").pop("enableServiceLinks")),
    ("resources_are_stated", "cpu", lambda c: c.container("vision")["resources"].pop("limits")),
    (
        "resources_are_stated",
        "cpu",
        lambda c: c.container("vision")["resources"]["requests"].update(memory="4Gi"),
    ),
    (
        "memory_holds_the_children",
        "cpu",
        lambda c: c.settings("orchestrator").update(ORCHESTRATOR_EXTRACT_MAX_MEMORY_BYTES=str(2 << 30)),
    ),
    (
        "memory_holds_the_children",
        "cpu",
        lambda c: c.settings("transcriber").update(TRANSCRIBER_GROWING_COUNT="16"),
    ),
    (
        "memory_holds_the_children",
        "cpu",
        lambda c: c.container("vision")["resources"]["limits"].update(memory="1Gi"),
    ),
    ("probes_are_patient", "cpu", lambda c: c.container("vision").pop("readinessProbe")),
    (
        "probes_are_patient",
        "cpu",
        lambda c: c.container("vision")["livenessProbe"].update(failureThreshold=1),
    ),
    (
        "probes_are_patient",
        "cpu",
        lambda c: c.container("vision")["readinessProbe"]["grpc"].update(port=50055),
    ),
    ("work_under_way_can_end", "cpu", lambda c: _put(c.pod("vision"), "terminationGracePeriodSeconds", 60)),
    ("work_under_way_can_end", "cpu", lambda c: c.container("vision").pop("lifecycle")),
    ("replicas_are_spread", "gpu", lambda c: c.pod("vision").pop("topologySpreadConstraints")),
    (
        "references_are_there",
        "cpu",
        lambda c: c.container("vision")["envFrom"].append({"configMapRef": {"name": "interview-config"}}),
    ),
    (
        "references_are_there",
        "cpu",
        lambda c: c.container("vision").update(
            env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "a"}}}]
        ),
    ),
    ("settings_roll_the_pods", "cpu", lambda c: _put(c.of("ConfigMap", "llm")["metadata"], "name", "llm")),
    ("settings_are_declared", "cpu", lambda c: c.settings("transcriber").update(TRANSCRIBER_DEVISE="cuda")),
    ("settings_are_declared", "cpu", lambda c: c.settings("transcriber").update(TRANSCRIBER_DEVICE="gpu")),
    ("settings_are_declared", "cpu", lambda c: c.settings("gateway").pop("GATEWAY_ALLOW_ANONYMOUS")),
    ("secrets_are_references", "cpu", lambda c: c.settings("llm").update(LLM_API_KEY="sk-1")),
    ("secrets_are_references", "cpu", lambda c: c.settings("llm").update(X="postgresql://me:pw@db/x")),
    ("metrics_are_served", "cpu", lambda c: c.settings("vision").update(VISION_METRICS_PORT="9090")),
    (
        "models_are_fetched",
        "cpu",
        lambda c: _put(c.pod("transcriber")["initContainers"][0]["args"], 2, "whisper-small"),  # type: ignore[arg-type]
    ),
    (
        "models_are_fetched",
        "gpu+everything",
        lambda c: c.settings("transcriber").update(TRANSCRIBER_MODEL="whisper-large-v3"),
    ),
    ("language_model_is_wired", "gpu+everything", lambda c: c.settings("llm").update(LLM_BASE_URL="")),
    ("language_model_is_wired", "gpu+everything", lambda c: c.settings("llm").update(LLM_SCHEMA_DIALECT="")),
    ("language_model_is_wired", "cpu", lambda c: c.container("assessor")["envFrom"].pop()),
    ("orchestrators_share_a_database", "cpu", lambda c: _put(c.spec("orchestrator"), "replicas", 2)),
    (
        "orchestrators_share_a_database",
        "gpu+everything",
        lambda c: c.container("orchestrator")["env"].remove(
            next(e for e in c.container("orchestrator")["env"] if e["name"] == "ORCHESTRATOR_EXECUTOR_ID")
        ),
    ),
    (
        "orchestrators_share_a_database",
        "gpu+everything",
        lambda c: c.pod("orchestrator").pop("initContainers"),
    ),
    ("services_have_pods", "cpu", lambda c: c.of("Service", "vision")["spec"]["selector"].update(x="y")),
    ("services_have_pods", "cpu", lambda c: c.of("Service", "vision")["spec"]["ports"][0].update(port=80)),
    ("processes_have_services", "cpu", lambda c: c.of("Service", "vision")["spec"]["ports"].pop()),
    ("processes_have_services", "cpu", lambda c: c.of("Service", "vision")["spec"].pop("clusterIP")),
    (
        "connections_are_renewed",
        "cpu",
        lambda c: c.settings("vision").update(VISION_MAX_CONNECTION_AGE_S="0"),
    ),
    (
        "addresses_lead_somewhere",
        "cpu",
        lambda c: c.settings("orchestrator").update(ORCHESTRATOR_VISION_ADDRESS="dns:///visoin:50054"),
    ),
    (
        "addresses_lead_somewhere",
        "cpu",
        lambda c: c.settings("orchestrator").update(ORCHESTRATOR_VISION_ADDRESS="dns:///vision:50055"),
    ),
    (
        "policies_take_pods",
        "gpu+everything",
        lambda c: c.policy("orchestrator-to-vision")["podSelector"]["matchLabels"].update(x="y"),
    ),
    (
        "callers_get_through",
        "gpu+everything",
        lambda c: c.policy("orchestrator-to-vision")["egress"][0]["ports"][0].update(port=50055),
    ),
    (
        "callers_get_through",
        "gpu+everything",
        lambda c: c.without("NetworkPolicy", "vision-from-orchestrator"),
    ),
    ("callers_get_through", "gpu+everything", lambda c: c.without("NetworkPolicy", "to-vllm")),
    ("nobody_else_gets_through", "gpu+everything", lambda c: c.without("NetworkPolicy", "deny-all")),
    (
        "nobody_else_gets_through",
        "gpu+everything",
        lambda c: _put(c.policy("orchestrator-to-links"), "podSelector", {}),
    ),
    (
        "the_front_door_holds_uploads",
        "cpu+ingress",
        lambda c: c.of("Ingress", "gateway")["metadata"]["annotations"].pop(NGINX + "proxy-body-size"),
    ),
    (
        "the_front_door_holds_uploads",
        "cpu+ingress",
        lambda c: c.of("Ingress", "gateway")["metadata"]["annotations"].pop(NGINX + "proxy-read-timeout"),
    ),
    (
        "the_front_door_holds_uploads",
        "cpu+ingress",
        lambda c: c.settings("gateway").update(GATEWAY_ALLOW_ANONYMOUS="true"),
    ),
    (
        "the_front_door_holds_uploads",
        "cpu+ingress",
        lambda c: c.settings("gateway").pop("GATEWAY_TRUSTED_PROXIES"),
    ),
    (
        "drains_can_end",
        "gpu",
        lambda c: _put(c.of("PodDisruptionBudget", "vision"), "spec", _budget("vision", minAvailable=2)),
    ),
    (
        "drains_can_end",
        "gpu",
        lambda c: _put(c.of("PodDisruptionBudget", "vision"), "spec", _budget("visoin", maxUnavailable=1)),
    ),
    ("drains_take_turns", "gpu", lambda c: c.without("PodDisruptionBudget", "vision")),
    ("scalers_have_targets", "gpu+everything", lambda c: _put(c.spec("vision"), "replicas", 1)),
    (
        "scalers_have_targets",
        "gpu+everything",
        lambda c: c.of("ScaledObject", "vision")["spec"]["scaleTargetRef"].update(name="visoin"),
    ),
    (
        "scalers_have_targets",
        "gpu+everything",
        lambda c: c.of("ScaledObject", "vision")["spec"].update(minReplicaCount=9),
    ),
    (
        "scalers_ask_for_what_is_there",
        "gpu+everything",
        lambda c: c.of("ScaledObject", "transcriber")["spec"]["triggers"][0]["metadata"].update(
            query='sum(interview_stage_waiting_answers{stage="transcriber"})'
        ),
    ),
    (
        "scalers_ask_for_what_is_there",
        "gpu+everything",
        lambda c: c.of("ScaledObject", "vision")["spec"].pop("fallback"),
    ),
    ("gpus_are_asked_for_rightly", "gpu", lambda c: c.pod("transcriber").pop("tolerations")),
    (
        "gpus_are_asked_for_rightly",
        "gpu",
        lambda c: c.container("transcriber")["resources"]["limits"].pop("nvidia.com/gpu"),
    ),
    (
        "gpus_are_asked_for_rightly",
        "gpu",
        lambda c: _put(c.container("transcriber"), "image", "interview/transcriber:0.1.0"),
    ),
    ("gpus_are_asked_for_rightly", "gpu", lambda c: c.settings("transcriber").pop("TRANSCRIBER_DEVICE")),
    (
        "gpus_are_asked_for_rightly",
        "gpu-shared",
        lambda c: c.container("transcriber")["resources"]["limits"].update({"nvidia.com/gpu": 1}),
    ),
    (
        "the_only_transcriber_stays",
        "gpu",
        lambda c: c.spec("transcriber")["strategy"]["rollingUpdate"].update(maxUnavailable=2),
    ),
    (
        "the_only_transcriber_stays",
        "gpu",
        lambda c: c.spec("transcriber")["strategy"]["rollingUpdate"].update(maxSurge=0),
    ),
]


def _budget(name: str, **limit: int) -> Document:
    return {"selector": {"matchLabels": {"app.kubernetes.io/name": name}}, **limit}
