"""The page has words for what a result can say in codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.sessions import SessionState, StageState
from services.translator.job import Doubt

ROOT = Path(__file__).parents[3]
WORDS = (ROOT / "gateway/static/words.js").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "orchestrator/result/schema.json").read_text(encoding="utf-8"))
JUDGEMENTS = ("critical", "very good", "fluent", "excellent", "suspicious", "cheating", "confiden")
"""Words of the original's tables, which judge where nothing but a quantity was measured."""


@pytest.mark.parametrize("outcome", SCHEMA["$defs"]["outcome"]["enum"])
def test_each_outcome_has_words(outcome: str) -> None:
    assert re.search(rf"^  {outcome}: ", WORDS, re.MULTILINE)


@pytest.mark.parametrize("doubt", Doubt)
def test_each_doubt_of_a_translation_has_words(doubt: str) -> None:
    assert re.search(rf"^  {doubt}: ", WORDS, re.MULTILINE)


@pytest.mark.parametrize("stage", ["fetch", *SCHEMA["$defs"]["stages"]["properties"]])
def test_each_stage_has_a_name(stage: str) -> None:
    assert re.search(rf'\b{stage}: "', WORDS)


@pytest.mark.parametrize("state", [*SessionState, *StageState])
def test_each_state_has_words(state: str) -> None:
    assert re.search(rf'\b{state}: "', WORDS)


def test_the_page_s_own_words_judge_nobody() -> None:
    for path in (ROOT / "gateway/static").iterdir():
        shown = re.findall(r'"[^"]*"|`[^`]*`|>[^<]+<', path.read_text(encoding="utf-8"))
        assert not [text for text in shown for word in JUDGEMENTS if word in text.lower()], path.name
