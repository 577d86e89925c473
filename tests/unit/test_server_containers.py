"""Servers in containers are taken where they run, and nothing of them stays where they don't."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import ImageNotFound

from tests.server_containers import SWITCH, engine_answers, running


class OneContainer:
    image = "some:image"

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.events: list[str] = []

    def start(self) -> None:
        self.events.append("start")
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        self.events.append("stop")


def run(container: Any, *, engine: bool) -> Any:
    with running(lambda: container, lambda: engine) as started:
        if container is not None:
            container.events.append("used" if started is container else "not used")
        return started


def test_a_container_is_stopped_after_its_use() -> None:
    container = OneContainer()

    assert run(container, engine=True) is container
    assert container.events == ["start", "used", "stop"]


def test_an_image_that_can_not_be_had_leaves_the_tests_to_what_is_installed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    container = OneContainer(ImageNotFound("no such image"))

    assert run(container, engine=True) is None
    assert "some:image does not run here" in caplog.text
    assert container.events == ["start", "stop", "not used"]


def test_without_an_engine_nothing_is_started() -> None:
    container = OneContainer()

    assert run(container, engine=False) is None
    assert container.events == ["not used"]


def test_an_engine_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    engine_answers.cache_clear()
    try:
        assert engine_answers() is False
    finally:
        engine_answers.cache_clear()
