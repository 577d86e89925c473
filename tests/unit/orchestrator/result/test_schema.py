"""The schema explains every property, and says which ones are the original system's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema

from orchestrator.result.document import SCHEMA_VERSION
from tests.folders import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())
LEGACY = {
    "success",
    "session",
    "llm_results",
    "aggregate_cheating_detection",
    "aggregate_non_verbal_analysis",
    "content",
    "metadata",
}
SHORTEST_DESCRIPTION = 10


def properties(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every described place: the properties, and not those of conditions."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from properties(item, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("if", "then", "else"):
            continue
        if key == "properties":
            for name, one in item.items():
                yield f"{path}.{name}", one
                yield from properties(one, f"{path}.{name}")
        elif key == "$defs":
            for name, one in item.items():
                yield f"#{name}", one
                yield from properties(one, f"#{name}")
        else:
            yield from properties(item, path)


def test_it_is_a_schema_with_a_name_and_the_version_of_the_document() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$id"].endswith(f":{SCHEMA_VERSION}")
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION


def test_every_property_says_what_it_is() -> None:
    found = dict(properties(SCHEMA))
    silent = [path for path, one in found.items() if len(one.get("description", "")) < SHORTEST_DESCRIPTION]

    assert len(found) > 300
    assert silent == []


def test_every_property_that_may_be_null_says_when() -> None:
    nullable = {
        path: one["description"]
        for path, one in properties(SCHEMA)
        if "null" in str(one.get("type", "")) or None in one.get("enum", [])
    }
    silent = [
        path for path, text in nullable.items() if "ull" not in text and not path.startswith("#recording")
    ]

    assert silent == []


def test_the_keys_of_the_original_system_are_marked() -> None:
    marked = {name for name, one in SCHEMA["properties"].items() if one.get("deprecated")}

    assert marked == LEGACY
    for name in ("risk_level", "overall_performance_status"):
        described = SCHEMA["properties"]["aggregate_cheating_detection"]["properties"][name]["description"]
        assert "no judgement" in described
