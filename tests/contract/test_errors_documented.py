"""`docs/errors.md` names every reason that the code can give, and no other."""

from __future__ import annotations

import re

from chassis.errors import ERRORS_BY_CODE
from orchestrator.workflow import RECORDING_STAGES
from services.translator.job import Doubt
from tests.folders import ROOT

REASON = re.compile(r'(?:reason|code)\s*=\s*"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|INTERNAL|CANCELLED)"')
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)


def reasons_in_code() -> set[str]:
    found: set[str] = set()
    for folder in ("chassis", "services", "orchestrator", "gateway", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(REASON.findall(path.read_text(encoding="utf-8")))
    found |= {doubt.value for doubt in Doubt}
    return found - {cls.code for cls in ERRORS_BY_CODE.values() if cls.code not in ("INTERNAL", "CANCELLED")}


def reasons_in_docs() -> set[str]:
    return set(ROW.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8")))


def test_every_stage_for_which_others_are_left_out_is_documented_and_has_words_on_the_page() -> None:
    reasons = {f"{stage.upper()}_FAILED" for stage in RECORDING_STAGES}
    page = (ROOT / "gateway" / "static" / "words.js").read_text(encoding="utf-8")

    assert reasons - reasons_in_docs() == set()
    assert {reason for reason in reasons if f"  {reason}: " not in page} == set()


def test_every_reason_of_the_code_is_documented() -> None:
    assert reasons_in_code() - reasons_in_docs() == set()
