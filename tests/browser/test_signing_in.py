"""Signing in with a key or an account and out again, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.auth import utc_now
from gateway.dependencies import Gateway
from gateway.settings import GatewaySettings
from tests.browser.playing_orchestrator import PlayingOrchestrator
from tests.browser.visits import in_sight, shows, submit
from tests.browser.webdriver import Browser, browser_missing
from tests.free_ports import free_port
from tests.gateway_bench import api_key, listening
from tests.openid_provider import openid_provider
from tests.signing_in import people_settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]
KEY_KEPT = "return sessionStorage.getItem('interview-key')"
READ_BY_COOKIE = f"return (await fetch('/status/{'0' * 32}')).status"
NOT_FOUND, REFUSED = 404, 403


@dataclass
class Door:
    """A gateway whose people sign in at a provider."""

    url: str
    gateway: Gateway

    def later(self, seconds: float) -> None:
        """Let cookies be looked at so much later than now."""
        self.gateway.browsers = replace(
            self.gateway.browsers, now=lambda: utc_now() + timedelta(seconds=seconds)
        )


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


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    url = f"http://127.0.0.1:{free_port()}"
    port = int(url.rpartition(":")[2])
    with openid_provider() as provider:
        settings = GatewaySettings(**people_settings(provider, public_url=url, rate_limit_uploads=""))
        app = create_app(settings, PlayingOrchestrator(), MediaStore((tmp_path / "store").as_uri()))
        with listening(app, port=port):
            yield Door(url, app.state.gateway)


def sign_in(browser: Browser, door: Door) -> None:
    browser.open(door.url)
    browser.wait(lambda: "Sign in with your account" in browser.text())
    browser.click("#sign-in")
    browser.wait(lambda: "Agree" in browser.text())
    browser.click("#agree")
    browser.wait(lambda: "Choose recordings" in browser.text())


def test_somebody_signs_in_with_an_account_submits_and_signs_out(
    browser: Browser, door: Door, recording: Path
) -> None:
    sign_in(browser, door)
    assert browser.url() == f"{door.url}/"
    assert browser.text("#who") == "Ana"
    assert in_sight(browser, "#sign-out")
    assert browser.run("return document.cookie") == ""

    submit(browser, door.url, recording)
    browser.click("#submit")
    browser.wait(lambda: "session=" in browser.url() and browser.texts("#stages tr"))

    browser.click("#sign-out")
    browser.wait(lambda: "Sign in with your account" in browser.text())
    assert browser.run(READ_BY_COOKIE) == REFUSED


def test_a_sign_in_that_ends_on_an_open_page_is_said_and_leads_back_to_it(
    browser: Browser, door: Door, recording: Path
) -> None:
    sign_in(browser, door)
    submit(browser, door.url, recording)
    assert browser.text("#sign-in-again") == ""
    door.later(door.gateway.settings.sign_in_lifetime_s)
    browser.click("#submit")

    browser.wait(lambda: shows(browser, "Your sign-in has ended. Sign in again."))
    assert browser.text("#sign-in-again") == "Sign in"
    door.later(0)
    browser.click("#sign-in-again")
    browser.wait(lambda: "Agree" in browser.text())
    browser.click("#agree")
    browser.wait(lambda: "Choose recordings" in browser.text())
    browser.click("#sign-out")
    browser.wait(lambda: "Sign in with your account" in browser.text())


def test_a_sign_in_that_fails_says_on_a_page_what_to_do(browser: Browser, door: Door) -> None:
    browser.console()  # what was said before
    browser.open(f"{door.url}/signin/callback?state=1&code=2")

    browser.wait(lambda: "You are not signed in" in browser.text())
    assert "Sign in again." in browser.text()
    assert not [line for line in browser.console() if "400" not in line]
