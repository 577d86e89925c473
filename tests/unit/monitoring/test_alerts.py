"""Each alert fires when it must and is silent when it must be, by Prometheus's own promtool."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from typing import Any

import pytest
import yaml

from tests.folders import ROOT

MONITORING = ROOT / "monitoring"
PROMTOOL = shutil.which("promtool")
TIMEOUT_S = 100

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")


def read(name: str) -> Any:
    return yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read("alerts.yml")["groups"] for rule in group["rules"]]


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        [str(PROMTOOL), *arguments],
        cwd=MONITORING,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_takes_its_settings_and_the_rules_that_they_name() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "config", "prometheus.yml")
    assert f"{len(rules())} rules found" in promtool("check", "rules", "alerts.yml")


@needs_promtool
def test_alerts_fire_when_they_must_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_each_alert_is_seen_to_fire_and_to_be_silent() -> None:
    fired: set[tuple[str, str]] = set()
    silent = Counter[str]()
    for test in read("alerts_test.yml")["tests"]:
        for check in test["alert_rule_test"]:
            expected = check.get("exp_alerts", [])
            silent[check["alertname"]] += not expected
            fired |= {(check["alertname"], one["exp_labels"].get("process", "")) for one in expected}

    assert fired == {(rule["alert"], rule["labels"].get("process", "")) for rule in rules()}
    assert set(+silent) == {rule["alert"] for rule in rules()}
