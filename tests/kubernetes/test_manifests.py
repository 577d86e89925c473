"""Every overlay and component, as it would be applied."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.folders import ROOT
from tests.kubernetes.manifests import Manifests
from tests.kubernetes.rendering import K8S, Variant, named, names_in, rendered, variants
from tests.kubernetes.rules import RULES
from tests.kubernetes.schemas import NEWEST, OLDEST, faults

EVERY = pytest.mark.parametrize("variant", variants(), ids=lambda variant: variant.name)


@EVERY
def test_what_is_applied_holds_together(variant: Variant) -> None:
    assert [str(problem) for problem in Manifests(rendered(variant)).problems(RULES)] == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_known_to_the_cluster(version: str) -> None:
    different = {
        json.dumps(document, sort_keys=True) for variant in variants() for document in rendered(variant)
    }

    assert len(different) > 80
    assert [fault for text in sorted(different) for fault in faults(json.loads(text), version)] == []


def test_an_unknown_field_is_a_fault_on_both_versions() -> None:
    (deployment, *_) = Manifests(named("cpu")).of("Deployment")
    wrong = json.loads(json.dumps(deployment))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    for version in (OLDEST, NEWEST):
        assert not list(faults(deployment, version))
        assert any("livenessprobe" in fault for fault in faults(wrong, version))


def test_the_oldest_version_is_the_one_that_is_documented() -> None:
    assert f"Kubernetes {OLDEST} or newer" in (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")


def test_the_components_are_those_that_are_documented() -> None:
    documented = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")

    assert [name for name in names_in("components") if f"| `{name}` |" not in documented] == []


def test_a_fresh_cluster_gets_the_namespace_first_of_all() -> None:
    for overlay in names_in("overlays"):
        assert named(overlay)[0]["kind"] == "Namespace"


def test_tags_stand_in_one_place() -> None:
    found = [
        path.relative_to(K8S).as_posix()
        for path in sorted(K8S.rglob("*.yaml"))
        if "0.1.0" in path.read_text(encoding="utf-8")
    ]

    assert found == ["base/kustomization.yaml"]


def test_another_model_is_another_pod_that_fetches_it() -> None:
    # What a Job's template could not do: between base and GPU the name of the ConfigMap changes.
    names = []
    for variant in ("cpu", "gpu"):
        m = Manifests(named(variant))
        transcriber = m.index["Deployment", "interview", "transcriber"]
        (init,) = transcriber["spec"]["template"]["spec"]["initContainers"]
        names.append((init["env"][0]["valueFrom"]["configMapKeyRef"]["name"], m.settings(transcriber, init)))
    (cpu, on_cpu), (gpu, on_gpu) = names
    assert cpu != gpu
    assert (on_cpu["TRANSCRIBER_MODEL"], on_gpu["TRANSCRIBER_MODEL"]) == (
        "whisper-base",
        "whisper-large-v3-turbo",
    )


def test_no_stage_has_a_way_out_once_the_node_holds_the_models() -> None:
    everything = Manifests(named("gpu+everything"))
    waiting = {
        name: everything.index["Deployment", "interview", name]["spec"]["template"]["metadata"]["labels"]
        for name in ("transcriber", "vision", "speaker")
    }

    assert all("interview/fetches-models" not in labels for labels in waiting.values())


def test_the_wait_for_the_nodes_models_is_a_program() -> None:
    text = (K8S / "components" / "model-cache" / "waiting.yaml").read_text(encoding="utf-8")
    (init,) = yaml.safe_load(text)["spec"]["template"]["spec"]["initContainers"]
    compile(init["command"][2], "waiting", "exec")


def test_the_alerts_are_those_of_prometheus() -> None:
    (rule,) = Manifests(named("cpu+monitoring")).of("PrometheusRule")
    plain = yaml.safe_load((ROOT / "monitoring" / "alerts.yml").read_text(encoding="utf-8"))

    assert rule["spec"]["groups"] == plain["groups"]
