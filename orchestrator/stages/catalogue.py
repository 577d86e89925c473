"""Finds the stages: each name of the plan is a module of this folder with one `Stage` in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import Field, create_model

from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.stage import Parts, Stage
from orchestrator.workflow import STAGES


@cache
def stage_classes() -> Mapping[str, type[Stage]]:
    """Return the class of each stage, in the plan's order.

    Raises:
        ModuleNotFoundError: A stage of the plan has no file.
    """
    return {name: _class_in(name) for name in STAGES}


@cache
def settings_class() -> type[OrchestratorSettings]:
    """Return the class of all settings: the orchestrator's own, and four of each stage.

    Of the stage `transcribe`, whose work the process `transcriber` does, they are `transcriber_address`
    (host and port), `transcribe_count` (from 1 on), `transcribe_timeout_s` (over 0) and
    `transcribe_timeout_factor` (from 0 on, seconds for each second of the recording).
    """
    fields: dict[str, Any] = {}
    for name, stage_class in stage_classes().items():
        defaults = stage_class.defaults
        if defaults.service:
            fields[f"{defaults.service}_address"] = (str, f"127.0.0.1:{defaults.port}")
        if defaults.service:  # None: its pods say how many they take
            fields[f"{name}_count"] = (int | None, Field(None, ge=1))
        else:
            fields[f"{name}_count"] = (int, Field(defaults.place_count, ge=1))
        fields[f"{name}_timeout_s"] = (float, Field(defaults.timeout_s, gt=0))
        fields[f"{name}_timeout_factor"] = (float, Field(defaults.timeout_factor, ge=0))
    return create_model("AllOrchestratorSettings", __base__=OrchestratorSettings, **fields)


def build_stages(parts: Parts) -> dict[str, Stage]:
    """Make one object of each stage."""
    return {name: stage_class(parts) for name, stage_class in stage_classes().items()}


def _class_in(name: str) -> type[Stage]:
    module = import_module(f"orchestrator.stages.{name}")
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Stage)]
    (stage_class,) = [value for value in found if value.__module__ == module.__name__]
    if stage_class.name != name:
        raise TypeError(f"{module.__name__} holds a stage of another name: {stage_class.name}")
    return stage_class
