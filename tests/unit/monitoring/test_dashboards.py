"""What Grafana needs of a dashboard, as far as it can be said without Grafana."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from tests.folders import ROOT

DASHBOARDS = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))
UNITS = {"s", "short", "bytes", "Bps", "ops", "reqps", "percentunit"}
"""Ids of Grafana's units that are in use here."""
GRID_COLUMNS = 24

pytestmark = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def dashboard(path: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_it_has_the_fields_of_a_dashboard(path: Any) -> None:
    found = dashboard(path)

    assert found["schemaVersion"] >= 36, "datasources are objects since then"
    assert found.get("id") is None, "an id belongs to one Grafana"
    assert found["title"]
    assert 0 < len(found["uid"]) <= 40
    assert set(found["time"]) == {"from", "to"}


def test_each_panel_asks_the_datasource_that_a_reader_chooses(path: Any) -> None:
    found = dashboard(path)
    (variable,) = found["templating"]["list"]

    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    wanted = {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
    for panel in found["panels"]:
        assert panel["datasource"] == wanted, panel["title"]
        for target in panel["targets"]:
            assert target.get("datasource", wanted) == wanted, panel["title"]


def test_each_panel_has_an_id_a_place_a_unit_and_a_query(path: Any) -> None:
    panels = dashboard(path)["panels"]

    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= GRID_COLUMNS
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs)
        assert all(target["expr"] for target in panel["targets"])


def test_no_panel_lies_on_another(path: Any) -> None:
    for one, other in combinations(dashboard(path)["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, (one["title"], other["title"])
