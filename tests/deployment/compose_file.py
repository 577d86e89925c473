"""`docker-compose.yml` as far as tests need it: variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.folders import ROOT

VARIABLE = re.compile(r"\$\{(?P<name>\w+):?-(?P<default>[^}]*)\}")
PROCESSES = ("transcriber", "translator", "assessor", "vision", "speaker", "orchestrator", "gateway")
STAGES = PROCESSES[:5]


def read(name: str = "docker-compose.yml", told: Mapping[str, str] = {}) -> dict[str, Any]:
    """Return a compose file with its variables filled in.

    Args:
        name: The file in the checkout.
        told: Variables. What is not among them has its default.
    """
    text = (ROOT / name).read_text(encoding="utf-8")
    filled_in = VARIABLE.sub(lambda found: told.get(found["name"]) or found["default"], text)
    content: dict[str, Any] = yaml.load(filled_in, Loader=yaml.CSafeLoader)  # A tenth of Python's time.
    return content


def services(told: Mapping[str, str] = {}) -> dict[str, dict[str, Any]]:
    """Return all services of `docker-compose.yml`."""
    found: dict[str, dict[str, Any]] = read(told=told)["services"]
    return found


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return a service's variables."""
    return {
        name: "" if value is None else str(value) for name, value in service.get("environment", {}).items()
    }


def variables_asked_for(name: str = "docker-compose.yml") -> set[str]:
    """Return the names of all variables that a compose file takes from outside."""
    return {found["name"] for found in VARIABLE.finditer((ROOT / name).read_text(encoding="utf-8"))}
