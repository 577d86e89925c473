"""What stands in a result about the model that made it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelInfo:
    """A model's identity, field by field that of `media.proto`. Empty where nothing is known."""

    name: str = ""
    version: str = ""
    digest: str = ""
    """SHA-256 of its weights."""
    device: str = ""
    """Where it runs."""
