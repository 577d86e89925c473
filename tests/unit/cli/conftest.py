"""Fixtures of the command's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.fetching import hub as downloading
from tests.hub_server import CONTENT, Hub, serving


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has `CONTENT`. Pauses between attempts are left out."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(downloading, "PAUSE_S", 0.0)
    with serving(Hub(CONTENT)) as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.address)
        yield opened
