"""MediaPipe is imported without the library that it draws with."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from services.vision.without_drawings import matplotlib_left_out
from tests.folders import ROOT

TIMEOUT_S = 300


def test_vision_imports_mediapipe_and_no_matplotlib() -> None:
    said = (
        "import sys, services.vision.mediapipe_models;"
        "print([name for name in sys.modules if name.split('.')[0] in ('matplotlib', 'PIL', 'fontTools')])"
    )
    command = [sys.executable, "-c", said]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)

    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_matplotlib_can_be_imported_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)

    with matplotlib_left_out():
        assert vars(sys.modules["matplotlib"])["pyplot"] is sys.modules["matplotlib.pyplot"]

    assert "matplotlib" not in sys.modules


def test_a_matplotlib_that_is_imported_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = ModuleType("matplotlib")
    monkeypatch.setitem(sys.modules, "matplotlib", loaded)

    with matplotlib_left_out():
        assert sys.modules["matplotlib"] is loaded

    assert sys.modules["matplotlib"] is loaded
