"""Fixtures of the contract tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this machine's own variables of the assessor."""
    for name in (
        "HF_TOKEN",
        "ASSESSOR_HF_TOKEN",
        "LLM_BASE_URL",
        "ASSESSOR_OPENAI_BASE_URL",
        "ASSESSOR_BACKEND",
    ):
        monkeypatch.delenv(name, raising=False)
