"""A module that has outgrown its lines is a missing room; a function that has is a missing name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.folders import ROOT

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
ROOMS = ("chassis", "services", "orchestrator", "gateway", "cli", "benchmarks", "demo", "images", "tests")
"""All that is written by hand; `protos/gen` is not."""


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module and its number of lines, those inside functions as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def imported(path: Path) -> Iterator[str]:
    """Every module and name that a module imports, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def test_there_is_something_to_measure() -> None:
    assert len(list(modules())) > 300


def test_no_module_has_more_than_300_lines() -> None:
    sizes = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}

    assert {name: size for name, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_no_function_has_more_than_50_lines() -> None:
    sizes = {f"{named(path)}: {name}": size for path in modules() for name, size in functions(path)}

    assert {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES} == {}


def test_no_test_imports_from_a_test() -> None:
    wrong = {
        named(path): name
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in imported(path)
        if any(part.startswith("test_") for part in name.split(".")[:-1])
    }

    assert wrong == {}, "what tests share lies in a module of its own, such as `tests/world.py`"
