"""How the page follows sessions: live, in many tabs, to the end and no further."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.recordings import write_recording
from tests.browser.site import Site, a_document
from tests.browser.webdriver import Browser, browser_missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]

QUIET_S = 15
"""Longer than five rounds of asking: what must not happen is waited for."""
TAB_COUNT = 7
"""One more than the connections that a browser opens to one host."""


@pytest.fixture
def tabs(browser: Browser) -> Iterator[list[str]]:
    """Tabs of one browser, the first of which stays open."""
    first = browser.tab()
    yield (names := [first, *(browser.open_tab() for _ in range(TAB_COUNT - 1))])
    for name in names[1:]:
        browser.look_at(name)
        browser.close_tab()
    browser.look_at(first)


def test_a_completed_session_is_fetched_once_and_its_recording_plays_on(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    write_recording(tmp_path / "long.webm", QUIET_S + 10)
    session_id = site.completed(a_document(), tmp_path / "long.webm")
    browser.open(site.address(session_id))
    browser.wait(lambda: "of 100" in browser.text())
    browser.run("window.player = document.querySelector('video'); window.player.play()")
    browser.wait(lambda: browser.run("return window.player.currentTime > 0.2"))
    asked = [path for path in site.paths if not path.startswith("/media/")]

    time.sleep(QUIET_S)

    assert [path for path in site.paths if not path.startswith("/media/")] == asked
    assert browser.run("return window.player === document.querySelector('video')")
    assert browser.run("return window.player.currentTime") > QUIET_S - 3


def test_a_session_on_legal_hold_is_marked_wherever_it_is_shown(browser: Browser, site: Site) -> None:
    running, done = site.running(), site.completed(a_document())
    for session_id in (running, done):
        site.orchestrator.held.add(session_id)
        browser.open(site.address(session_id))
        browser.wait(lambda: "On legal hold" in browser.text())

    browser.open(site.url)
    browser.wait(lambda: browser.text().count("On legal hold") == 2)
    site.orchestrator.held.clear()
    browser.open(site.address(done))
    browser.wait(lambda: "of 100" in browser.text())
    assert "On legal hold" not in browser.text()


def test_seven_running_sessions_in_seven_tabs_are_seven_pages(
    browser: Browser, site: Site, tabs: list[str]
) -> None:
    sessions = [site.running() for _ in tabs]
    for tab, session_id in zip(tabs, sessions, strict=True):
        browser.look_at(tab)
        browser.open(site.address(session_id))

    for tab in tabs:
        browser.look_at(tab)
        browser.wait(lambda: "working" in browser.text("#stages"))
    browser.click("#cancel")
    browser.wait(lambda: "Assessment cancelled" in browser.text())


def test_a_tab_that_only_asks_sees_the_end_as_well(browser: Browser, site: Site, tabs: list[str]) -> None:
    sessions = [site.running() for _ in tabs]
    for tab, session_id in zip(tabs, sessions, strict=True):
        browser.look_at(tab)
        browser.open(site.address(session_id))
    browser.wait(lambda: "working" in browser.text("#stages"))

    site.end(sessions[-1], a_document())

    browser.wait(lambda: "of 100" in browser.text())


def test_a_cancelled_session_that_runs_again_is_followed_again(browser: Browser, site: Site) -> None:
    session_id = site.running()
    browser.open(site.address(session_id))
    browser.wait(lambda: "working" in browser.text("#stages"))
    browser.click("#cancel")
    browser.wait(lambda: "Assessment cancelled" in browser.text())

    browser.click("#retry")

    browser.wait(lambda: "Assessment under way" in browser.text())
    site.end(session_id, a_document())
    browser.wait(lambda: "of 100" in browser.text())


@pytest.mark.parametrize("session_id", ["f" * 32, "not-an-id", "../etc"])
def test_a_session_that_does_not_exist_is_not_under_way(
    browser: Browser, site: Site, session_id: str
) -> None:
    browser.open(site.address(session_id))

    browser.wait(lambda: "There is no such session" in browser.text())
    text = browser.text()
    browser.keep(f"5-no-session-{len(session_id)}")
    assert "under way" not in text
    assert "Cancel" not in text
    assert "Check the address" in text
    asked = len(site.paths)
    time.sleep(4)
    assert len(site.paths) == asked


def test_a_session_that_can_not_be_asked_about_is_not_called_under_way(browser: Browser, site: Site) -> None:
    session_id = site.running()
    site.orchestrator.go_down()
    browser.open(site.address(session_id))

    browser.wait(lambda: browser.text("#notice"))
    assert "under way" not in browser.text()

    site.orchestrator.failure = None
    browser.wait(lambda: "Assessment under way" in browser.text())
    assert browser.text("#notice") == ""


def test_a_session_whose_stage_is_away_says_on_the_page_since_when_it_waits(
    browser: Browser, site: Site
) -> None:
    browser.open(site.address(site.waiting()))
    browser.wait(lambda: "Waiting for the transcriber service since" in browser.text())

    assert "Answer 1, Transcript: Waiting for the transcriber service since" in browser.text()
