"""A real Prometheus reads the seven processes with our settings: targets, rules, and each panel's query."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cli.processes import ProcessPlan
from tests.e2e.system import System, running_system
from tests.folders import ROOT
from tests.free_ports import free_port

PROMETHEUS = shutil.which("prometheus")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus (Debian: prometheus) is not installed"),
]

MONITORING = ROOT / "monitoring"
LOOK_INTERVAL_S = 1
PATIENCE_S = 300.0
WITHOUT_DATA_HERE = {
    "GPU memory in use",  # There is no DCGM exporter.
    "RPCs that failed, a second",  # None has to.
    "Tokens of language models, a second",  # There is none.
}


class Prometheus:
    """A Prometheus that runs, seen from its API."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def get(self, path: str, **parameters: str) -> Any:
        answer = self.http.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def is_ready(self) -> bool:
        try:
            return self.http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def values(self, query: str) -> list[float]:
        """Return what a query gives now, without what is no number."""
        found = [float(one["value"][1]) for one in self.get("query", query=query)["result"]]
        return [value for value in found if not math.isnan(value)]

    def away(self) -> dict[str, str]:
        """Return the targets that do not answer, with what is wrong."""
        targets = self.get("targets", state="active")["activeTargets"]
        return {one["scrapeUrl"]: one["lastError"] for one in targets if one["health"] != "up"}

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


def until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.5)


def own_settings(folder: Path, ports: dict[str, int]) -> Path:
    """Write our settings with what a compose network would say: who has which name. The rest stays."""
    settings = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    settings["global"] = {f"{what}_interval": f"{LOOK_INTERVAL_S}s" for what in ("scrape", "evaluation")}
    (job,) = settings["scrape_configs"]
    (found,) = job.pop("dns_sd_configs")
    job["static_configs"] = [
        {"targets": [f"127.0.0.1:{ports[name]}"], "labels": {"__meta_dns_name": name}}
        for name in found["names"]
    ]
    shutil.copy(MONITORING / "alerts.yml", folder)
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, Prometheus]]:
    ports: dict[str, int] = {}

    def with_metrics(process: ProcessPlan) -> ProcessPlan:
        ports[process.name] = free_port()
        port = {f"{process.name.upper()}_METRICS_PORT": str(ports[process.name])}
        return dataclasses.replace(process, environment={**process.environment, **port})

    folder = tmp_path_factory.mktemp("watched")
    with running_system(folder, changed=with_metrics) as system:
        port = free_port()
        command = [
            str(PROMETHEUS),
            f"--config.file={own_settings(folder, ports)}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (folder / "prometheus.log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
            prometheus = Prometheus(port)
            try:
                until(prometheus.is_ready)
                until(lambda: len(prometheus.get("targets")["activeTargets"]) == len(ports))
                until(lambda: not prometheus.away())
                system.result_of(ROOT / "demo" / "answer-1.mp4")
                seen_s = time.time()
                until(lambda: min(prometheus.values("timestamp(up)"), default=0) > seen_s)
                yield system, prometheus
            finally:
                prometheus.http.close()
                process.terminate()
                process.wait(60)


def panels() -> dict[str, list[str]]:
    return {
        panel["title"]: [target["expr"] for target in panel["targets"]]
        for path in sorted((MONITORING / "dashboards").glob("*.json"))
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    }


def test_every_process_is_read_under_its_name(watched: tuple[System, Prometheus]) -> None:
    _, prometheus = watched

    names = {one["metric"]["app_kubernetes_io_name"] for one in prometheus.get("query", query="up")["result"]}

    assert prometheus.away() == {}
    assert names == {
        *("transcriber", "translator", "assessor", "vision", "speaker", "orchestrator", "gateway")
    }


def test_every_rule_is_evaluated_without_an_error_and_none_fires(watched: tuple[System, Prometheus]) -> None:
    _, prometheus = watched
    written = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]

    until(lambda: all(rule["health"] != "unknown" for rule in prometheus.rules()))

    found = prometheus.rules()
    assert len(found) == sum(len(group["rules"]) for group in written)
    assert {rule["name"]: rule.get("lastError") for rule in found if rule["health"] != "ok"} == {}
    # A disk that is nearly full would be this machine's: nothing here tells Prometheus of disks.
    assert [rule["name"] for rule in found if rule["state"] == "firing"] == []


@pytest.mark.parametrize("title", panels())
def test_a_panel_has_data_after_one_session(title: str, watched: tuple[System, Prometheus]) -> None:
    _, prometheus = watched

    values = {query: prometheus.values(query) for query in panels()[title]}

    if title not in WITHOUT_DATA_HERE:
        assert all(values.values()), values


def test_an_answer_that_comes_through_fails_nowhere(watched: tuple[System, Prometheus]) -> None:
    _, prometheus = watched

    for query in panels()["Failed answers of a stage, an hour"]:
        assert max(prometheus.values(query)) == 0
        counted = {one["metric"]["outcome"] for one in prometheus.get("query", query=query)["result"]}
        assert not counted & {"OK", "SKIPPED", "NOT_CONFIGURED"}
    (ended,) = panels()["Sessions ended, an hour"]
    assert max(prometheus.values(ended)) > 0
    (accepted,) = panels()["Uploads accepted, an hour"]
    assert max(prometheus.values(accepted)) > 0
