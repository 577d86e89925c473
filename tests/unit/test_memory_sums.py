"""A container has room for its process and for all children that decode in it at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.decoding.child_memory import children_max_bytes
from chassis.settings import ServiceSettings
from orchestrator.stages.catalogue import settings_class
from services.speaker.settings import SpeakerSettings
from services.transcriber.settings import TranscriberSettings
from services.vision.settings import VisionSettings

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
ALLOWED_FOR_THE_PROCESS_BYTES = {
    "transcriber": 1024 * MIB,
    "vision": 640 * MIB,
    "speaker": 640 * MIB,
    "orchestrator": 384 * MIB,
}
"""What a process itself takes at work, with some room. The transcriber's with the base model."""
UNITS = {"m": MIB, "g": 1024 * MIB}


def settings_classes() -> Mapping[str, type[ServiceSettings]]:
    return {
        "transcriber": TranscriberSettings,
        "vision": VisionSettings,
        "speaker": SpeakerSettings,
        "orchestrator": settings_class(),
    }


def needed_bytes(process: str, told: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Return what a container of a process needs that is told these variables."""
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings: Any = settings_classes()[process]()
    return ALLOWED_FOR_THE_PROCESS_BYTES[process] + children_max_bytes(process, settings)


def test_every_container_of_compose_has_room_for_its_decoding_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    limits, needed = {}, {}
    for process in settings_classes():
        told = {name: str(value) for name, value in services[process]["environment"].items()}
        told = {
            name: value
            for name, value in told.items()
            if name.startswith(process.upper()) and "$" not in value
        }
        limit = str(services[process]["mem_limit"])
        limits[process] = int(limit[:-1]) * UNITS[limit[-1]]
        needed[process] = needed_bytes(process, told, monkeypatch)

    assert {process for process, size in needed.items() if size > limits[process]} == set()


def test_what_children_may_take_follows_the_settings() -> None:
    told: dict[str, Any] = {"worker_count": 2, "growing_count": 3, "decoder_max_memory_bytes": 300 * MIB}
    orchestrator: Any = settings_class()(extract_count=3, early_count=1, extract_max_memory_bytes=256 * MIB)

    assert children_max_bytes("vision", VisionSettings(**told)) == (2 + 3 + 1) * 300 * MIB
    assert children_max_bytes("speaker", SpeakerSettings(**told)) == (2 + 3) * 300 * MIB
    assert children_max_bytes("orchestrator", orchestrator) == (3 + 1) * 256 * MIB
    assert children_max_bytes("translator", ServiceSettings(port=0)) == 0
