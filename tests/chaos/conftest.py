"""Fixtures of the scenarios, and the summary that they leave in `build/chaos.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.tally import Row
from tests.folders import ROOT

SUMMARY = ROOT / "build" / "chaos.json"
TIMEOUT_S = 900
"""Of a scenario. It takes 10 to 40 s on a quiet machine, and many times that on a busy one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give scenarios their time."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture
def row() -> Iterator[Callable[[str], Row]]:
    """Give a scenario its line of the summary. It is written down however the scenario ends."""
    rows: list[Row] = []

    def begin(scenario: str) -> Row:
        rows.append(Row(scenario))
        return rows[-1]

    yield begin
    SUMMARY.parent.mkdir(exist_ok=True)
    with Path(SUMMARY).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one.to_json()) + "\n" for one in rows)
