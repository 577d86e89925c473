"""Alerts and panels ask for metrics that the processes export, by labels that these have."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.folders import ROOT

promql = pytest.importorskip("promql_parser", reason="promql-parser is not installed (extra dev)")

MONITORING = ROOT / "monitoring"
EXPORTING = (
    "chassis.telemetry",
    "gateway.middleware",
    "gateway.routes.uploads",
    "orchestrator.composition",
    "orchestrator.durable.engine",
    "orchestrator.running.stage_queue",
    "orchestrator.session_metrics",
)
TARGET_LABELS = {"app_kubernetes_io_name", "instance", "job", "namespace", "pod"}
"""Those that Prometheus itself gives to all that it reads of a process."""
OF_OTHER_PROGRAMS = {
    "up": TARGET_LABELS,
    "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim", "namespace"},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim", "namespace"},
    "node_filesystem_avail_bytes": {"fstype", "instance", "mountpoint", "device"},
    "node_filesystem_size_bytes": {"fstype", "instance", "mountpoint", "device"},
    "DCGM_FI_DEV_FB_USED": {"gpu", "modelName", "Hostname"},
    "DCGM_FI_DEV_FB_FREE": {"gpu", "modelName", "Hostname"},
}
"""Prometheus, the kubelet, node-exporter and NVIDIA's DCGM exporter, as they document them."""


@cache
def exported() -> dict[str, set[str]]:
    """Return the names of all series that our processes export, with their labels."""
    for module in EXPORTING:
        importlib.import_module(module)
    found = {}
    for name, collector in REGISTRY._names_to_collectors.items():
        labels = set(getattr(collector, "_labelnames", ()))
        found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Yield what each alert and each panel asks."""
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']} {rule['labels'].get('process', '')}".strip(), rule["expr"]
    for file in sorted((MONITORING / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"panel {panel['title']}", target["expr"]


def parts(query: Any) -> Iterator[Any]:
    """Yield a parsed query and all that it is made of."""
    yield query
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        inner = getattr(query, name, None)
        if inner is not None:
            yield from parts(inner)
    for inner in getattr(query, "args", None) or ():
        yield from parts(inner)


def selectors(query: Any) -> dict[str, set[str]]:
    """Return the metrics of a query with the labels that it compares."""
    found: dict[str, set[str]] = {}
    for part in parts(query):
        if isinstance(part, promql.VectorSelector):
            found.setdefault(part.name, set()).update(one.name for one in part.matchers.matchers)
    return found


ALL = dict(queries())


def labels_of(metric: str) -> set[str] | None:
    if metric in OF_OTHER_PROGRAMS:
        return OF_OTHER_PROGRAMS[metric]
    found = exported().get(metric)
    return None if found is None else found | TARGET_LABELS


@pytest.mark.parametrize("name", ALL)
def test_a_query_asks_for_what_is_exported(name: str) -> None:
    asked = selectors(promql.parse(ALL[name]))

    assert asked, "the query asks for nothing"
    for metric, compared in asked.items():
        known = labels_of(metric)
        assert known is not None, f"no process exports {metric}"
        assert compared <= known, f"{metric} has no label {compared - known}"


@pytest.mark.parametrize("name", ALL)
def test_a_query_groups_by_labels_that_are_there(name: str) -> None:
    query = promql.parse(ALL[name])
    there = set[str]().union(*(labels_of(metric) or set() for metric in selectors(query)))
    grouped = {
        label
        for part in parts(query)
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None
        for label in part.modifier.labels
    }

    assert grouped <= there


def test_a_misspelt_metric_would_be_found() -> None:
    assert labels_of("interview_stage_second_count") is None
    assert selectors(promql.parse("sum(rate(a{b='1'}[5m])) / on() c > 0")) == {"a": {"b"}, "c": set()}


def test_there_is_an_alert_for_each_thing_that_goes_wrong() -> None:
    names = {name.split()[1] for name in ALL if name.startswith("alert")}

    assert names >= {
        "InterviewProcessAway",
        "InterviewBacklogOld",
        "InterviewSessionsFail",
        "InterviewProcessRestarts",
        "InterviewVolumeFull",
        "InterviewGpuMemoryFull",
    }


def test_prometheus_reads_every_process_and_the_rules() -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    named = config["scrape_configs"][0]["dns_sd_configs"][0]["names"]
    away = {name.split()[2] for name in ALL if name.startswith("alert InterviewProcessAway")}

    assert config["rule_files"] == ["alerts.yml"]
    assert set(named) == away
