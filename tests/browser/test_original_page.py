"""The original's page in a real browser: it submits without a key, and runs no script of a candidate's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.browser.playing_orchestrator import HOSTILE, PlayingOrchestrator
from tests.browser.webdriver import Browser, browser_missing
from tests.gateway_bench import api_key, listening
from tests.original_client import write_client

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]
MARKED = "return document.documentElement.dataset[arguments[0]] ?? null"


@pytest.fixture
def page_url(tmp_path: Path) -> Iterator[str]:
    settings = GatewaySettings(
        api_keys=(api_key("s3cret", "page"),),
        original_page_dir=write_client(tmp_path / "client"),
        original_page_key="page",
    )
    store = MediaStore((tmp_path / "store").as_uri())
    with listening(create_app(settings, PlayingOrchestrator(), store)) as url:
        yield f"{url}/original/"


def test_its_visitor_submits_without_a_key_and_sees_how_it_goes(
    browser: Browser, page_url: str, recording: Path
) -> None:
    browser.open(page_url)
    assert browser.run(MARKED, "inline") == "ran"
    browser.click("#clear")
    browser.wait(lambda: browser.run(MARKED, "cleared") == "yes")
    browser.type("#name", f"Ada {HOSTILE}")
    browser.type("#file", str(recording))

    browser.click("#send")

    browser.wait(lambda: "processing" in browser.text("#said"))
    session_id = browser.url().rpartition("#")[2]
    script = "return (await fetch(`/status/${arguments[0]}`)).status"
    assert browser.run(script, session_id) == 200
    assert browser.run(script, "0" * 32) == 404
    assert browser.run("return document.cookie + JSON.stringify(localStorage)") == "{}"
    # The page writes a name as HTML, as the original does. The script in it is refused.
    assert browser.run("return document.querySelectorAll('#said img').length") == 1
    browser.wait(lambda: any("inline event handler" in line for line in browser.console()))
    assert browser.run("return document.title") == "Upload"
