"""The default tests pass the folders of the slow ones by: all in there is slow, and nobody forgets any."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.folders import ROOT

SLOW = {"model", "e2e", "browser", "chaos"}
"""Marks of what the default tests leave out and `make e2e` runs."""
MAKEFILE = (ROOT / "Makefile").read_text()


def listed(name: str) -> list[Path]:
    """Return the paths that a variable of the Makefile names."""
    found = re.search(rf"^{name} := (.*)$", MAKEFILE, re.MULTILINE)
    assert found
    return [ROOT / path for path in found[1].split()]


def marks_in(tree: ast.AST) -> set[str]:
    """Return the names of the marks (`pytest.mark.NAME`) in a piece of code."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {
        node.attr for node in nodes if isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
    }


def marks_of_module(tree: ast.Module) -> set[str]:
    """Return the marks that every test of a module has."""
    found: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            found |= marks_in(statement.value)
    return found


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules_of(paths: list[Path]) -> list[Path]:
    return [
        module for path in paths for module in ([path] if path.is_file() else sorted(path.rglob("test_*.py")))
    ]


@pytest.mark.parametrize("name", ["SLOW_TESTS", "CHAOS_TESTS"])
def test_every_test_in_a_slow_folder_is_marked_as_slow(name: str) -> None:
    modules = modules_of([path for path in listed(name) if path.is_dir()])

    assert len(modules) > 5
    assert [path.name for path in modules if not marks_of_module(read(path)) & SLOW] == []


def test_every_slow_test_is_where_the_slow_tests_are_looked_for() -> None:
    places = {
        "CHAOS_TESTS": {"chaos"},
        "SLOW_TESTS": {"model", "recordings", "e2e", "browser"},
    }
    for name, marks in places.items():
        marked = [path for path in (ROOT / "tests").rglob("test_*.py") if marks_in(read(path)) & marks]
        assert len(marked) > 5
        assert sorted(set(marked) - set(modules_of(listed(name)))) == []


def test_the_slow_tiers_ask_for_every_slow_mark() -> None:
    asked = re.findall(
        r"pytest -q -m (?:'([^']*)'|(\w+))", MAKEFILE.partition("\ne2e:")[2].partition("\n\n")[0]
    )
    words = {word for found in asked for word in " ".join(found).split()} - {"or"}

    assert words == SLOW | {"recordings"}


def test_a_mark_is_read_wherever_it_stands() -> None:
    tree = ast.parse(
        "import pytest\npytestmark = [pytest.mark.anyio, pytest.mark.timeout(5)]\n"
        "@pytest.mark.chaos\ndef test_x(): ...\n"
    )

    assert marks_in(tree) == {"anyio", "timeout", "chaos"}
    assert marks_of_module(tree) == {"anyio", "timeout"}
