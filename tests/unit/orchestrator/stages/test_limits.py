"""The time of an attempt follows the length of the recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chassis.store import MediaStore
from orchestrator.stages.catalogue import build_stages, settings_class
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels
from orchestrator.stages.stage import Parts, Stage

MINUTE_S, HOUR_S = 60.0, 3600.0
FORMER_TIMEOUT_S = {"transcribe": 7200, "vision": 3600, "speaker": 3600, "translate": 600, "assess": 900}
"""Of one attempt at the longest recording, before it followed the length."""


def stage_named(name: str, folder: Path, **changes: Any) -> Stage:
    media = MediaStore(folder.as_uri())
    return build_stages(Parts(settings_class()(**changes), media, SessionStore(media), Channels()))[name]


@pytest.mark.parametrize("name", FORMER_TIMEOUT_S)
def test_an_hour_gets_no_less_time_than_before_and_a_minute_much_less(tmp_path: Path, name: str) -> None:
    stage = stage_named(name, tmp_path)

    assert stage.limits(HOUR_S).timeout_s >= FORMER_TIMEOUT_S[name]
    assert stage.limits(MINUTE_S).timeout_s <= 20 * MINUTE_S
    assert MINUTE_S < stage.limits(MINUTE_S).stall_s < stage.limits(HOUR_S).stall_s < HOUR_S


def test_the_time_is_a_setting_of_the_stage(tmp_path: Path) -> None:
    vision = stage_named("vision", tmp_path, vision_timeout_s=100.0, vision_timeout_factor=2.0)

    assert vision.limits(30.0).timeout_s == 160.0
    assert vision.limits(0.0).timeout_s == 100.0
