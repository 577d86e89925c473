"""One browser for all tests of the page, a gateway for each, and recordings that are made here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.browser.playing_orchestrator import PlayingOrchestrator
from tests.browser.recordings import write_recording
from tests.browser.site import MAX_FILE_BYTES, RequestLog, Site
from tests.browser.webdriver import Browser, open_browser
from tests.gateway_bench import listening


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as window:
        yield window


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = GatewaySettings(rate_limit_uploads="", max_file_bytes=MAX_FILE_BYTES)
    orchestrator, store_dir = PlayingOrchestrator(), tmp_path / "store"
    app = create_app(settings, orchestrator, MediaStore(store_dir.as_uri()))
    paths: list[str] = []
    app.add_middleware(RequestLog, paths=paths)
    with listening(app) as url:
        yield Site(url, orchestrator, store_dir, paths)


@pytest.fixture
def base_url(site: Site) -> str:
    return site.url


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A picture that gets brighter, in a container that Chromium plays."""
    path = tmp_path / "answer.webm"
    write_recording(path, 4)
    return path
