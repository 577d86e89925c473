"""What is put off to spare every worker a grammar still checks what it is there to check."""

from __future__ import annotations

import subprocess
import sys

import jsonschema
import pytest
from jsonschema.exceptions import FormatError

from tests.folders import ROOT

CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER
BUILT = """
import sys
from tests.late_grammar import put_off_the_grammar
put_off_the_grammar()
from jsonschema import Draft202012Validator
assert "lark" not in sys.modules
Draft202012Validator.FORMAT_CHECKER.check("https://example.org/é", "iri")
assert "lark" in sys.modules
"""


@pytest.mark.parametrize("name", ["iri", "iri-reference"])
def test_an_iri_is_still_checked(name: str) -> None:
    CHECKER.check("https://example.org/é", name)
    with pytest.raises(FormatError):
        CHECKER.check("https://exa mple.org/<é>", name)


def test_the_grammar_is_built_by_the_first_check_and_not_by_an_import() -> None:
    subprocess.run([sys.executable, "-c", BUILT], cwd=ROOT, check=True, timeout=100)
