"""Reads YAML with libyaml where the package brings it: ten times as fast as in Python, the same values."""

from __future__ import annotations

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parsed(content: str | bytes) -> Any:
    """Return what a YAML document holds: plain values only.

    Raises:
        yaml.YAMLError: It is no YAML. The message says where.
    """
    return yaml.load(content, Loader=LOADER)  # noqa: S506 (both are the safe one)
