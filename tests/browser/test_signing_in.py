"""Signing in with a key and out again, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.browser.playing_orchestrator import PlayingOrchestrator
from tests.browser.visits import in_sight
from tests.browser.webdriver import Browser, browser_missing
from tests.gateway_bench import api_key, listening

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]
KEY_KEPT = "return sessionStorage.getItem('interview-key')"
READ_BY_COOKIE = f"return (await fetch('/status/{'0' * 32}')).status"
NOT_FOUND, REFUSED = 404, 403


@pytest.fixture
def keyed_url(tmp_path: Path) -> Iterator[str]:
    settings = GatewaySettings(api_keys=(api_key("s3cret", scopes=("submit", "read", "manage")),))
    store = MediaStore((tmp_path / "store").as_uri())
    with listening(create_app(settings, PlayingOrchestrator(), store)) as url:
        yield url


def test_who_signs_out_leaves_neither_key_nor_cookie(browser: Browser, keyed_url: str) -> None:
    browser.open(keyed_url)
    browser.wait(lambda: "Sign in" in browser.text("#key-form"))
    assert "Sign out" not in browser.text()
    browser.type("#key", "s3cret")
    browser.click("#key-form button")
    browser.wait(lambda: "Choose recordings" in browser.text())
    assert browser.run(READ_BY_COOKIE) == NOT_FOUND
    assert in_sight(browser, "#sign-out")

    browser.click("#sign-out")

    browser.wait(lambda: "Sign in" in browser.text("#key-form"))
    assert browser.run(KEY_KEPT) is None
    assert browser.run(READ_BY_COOKIE) == REFUSED
