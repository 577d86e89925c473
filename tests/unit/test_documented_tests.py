"""The documents name tests as evidence. Each of them has to exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.folders import ROOT

LEAST = {"docs/deployment.md": 10, "docs/operations.md": 8, "docs/reliability.md": 41, "docs/security.md": 41}
"""Documents, and how many tests they name at least."""
QUOTED = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"(?:tests/[\w/]+/)?\btest_\w+(?:\.py)?")


def names_of(folder: Path) -> set[str]:
    """Return what a document may name: files, their paths, and the functions in them."""
    names: set[str] = set()
    for path in folder.rglob("test_*.py"):
        names |= {path.name, str(path.relative_to(folder.parent))}
        nodes = ast.walk(ast.parse(path.read_text()))
        names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return names


def named_in(text: str) -> list[str]:
    """Return the tests that a text names in backticks."""
    return [name for quoted in QUOTED.findall(text) for name in NAME.findall(quoted)]


@pytest.mark.parametrize("document", LEAST)
def test_every_test_that_a_document_names_exists(document: str) -> None:
    named = named_in((ROOT / document).read_text())

    assert len(named) >= LEAST[document]
    assert sorted(set(named) - names_of(ROOT / "tests")) == []


def test_a_name_that_is_wrong_would_be_noticed() -> None:
    text = (
        "`test_this_is_nowhere`, `tests/contract/test_nowhere.py`, test_without_backticks, `test_deleting.py`"
    )

    assert named_in(text) == ["test_this_is_nowhere", "tests/contract/test_nowhere.py", "test_deleting.py"]
    known = names_of(ROOT / "tests")
    assert "test_every_test_that_a_document_names_exists" in known
    assert not {"test_this_is_nowhere", "tests/contract/test_nowhere.py"} & known
