"""The grammar of IRIs, built when somebody checks one.

`jsonschema` imports the package `rfc3987_syntax` for two formats that hardly anybody uses. Its import builds
a grammar, which takes some 2.6 s of a processor: in every worker of the tests, before its first test.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

NAME = "rfc3987_syntax"


def put_off_the_grammar() -> None:
    """Let whoever imports the package get its one function, which imports the rest when it is called."""
    if NAME not in sys.modules:
        stand_in = ModuleType(NAME)
        stand_in.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]
        sys.modules[NAME] = stand_in


def _is_valid_syntax(term: str, value: str) -> bool:
    if not hasattr(sys.modules[NAME], "__path__"):
        del sys.modules[NAME]
    return bool(importlib.import_module(NAME).is_valid_syntax(term, value))
