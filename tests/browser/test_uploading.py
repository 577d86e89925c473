"""Sending recordings: what is refused is seen at its file, and nothing is lost without a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.errors import UnavailableError
from tests.browser.site import Site
from tests.browser.visits import choose, in_sight, shows
from tests.browser.webdriver import Browser, browser_missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]

ASKS_BEFORE_LEAVING = """
    const leaving = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(leaving);
    return leaving.defaultPrevented;
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    path = tmp_path / "fake.mp4"
    path.write_text("this is text, whatever its name says. " * 50)
    return path


def test_the_refusal_of_one_recording_of_five_is_seen_at_its_file(
    browser: Browser, site: Site, recording: Path, fake: Path
) -> None:
    choose(browser, site.url, recording, recording, fake, recording, recording)
    browser.click("#submit")

    browser.wait(lambda: "is not a video" in browser.text("#chosen li:nth-child(3)"))
    browser.keep("6-refused")
    assert "is not a video" not in browser.text("#chosen li:nth-child(2)")
    assert in_sight(browser, "#chosen li:nth-child(3) .refusal")
    assert browser.run("return document.activeElement.closest('li:nth-child(3)') !== null")
    assert in_sight(browser, "#notice")
    assert "Nothing was kept" in browser.text("#notice")
    assert site.orchestrator.drafts == {}


def test_the_other_recordings_go_on_once_the_refused_one_is_removed(
    browser: Browser, site: Site, recording: Path, fake: Path
) -> None:
    choose(browser, site.url, fake, recording)
    browser.click("#submit")
    browser.wait(lambda: "is not a video" in browser.text("#chosen li:nth-child(1)"))

    browser.click("#chosen li:nth-child(1) .link")

    assert "is not a video" not in browser.text("#chosen")
    browser.click("#submit")
    browser.wait(lambda: "?session=" in browser.url())


def test_a_file_that_is_left_out_is_said_in_sight(
    browser: Browser, site: Site, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("text")
    choose(browser, site.url, *[recording] * 4)
    browser.run("window.scrollTo(0, document.body.scrollHeight)")

    browser.type("#files", str(tmp_path / "notes.txt"))

    browser.wait(lambda: shows(browser, "is not an mp4"))
    assert in_sight(browser, "#notice")


def test_an_orchestrator_that_is_away_is_said_before_anything_is_sent(
    browser: Browser, site: Site, recording: Path
) -> None:
    choose(browser, site.url, recording)
    site.orchestrator.go_down()
    browser.click("#submit")

    browser.wait(lambda: shows(browser, "can't be reached"))
    assert "Nothing was sent" in browser.text("#notice")
    assert "/upload" not in site.paths
    assert in_sight(browser, "#notice")

    site.orchestrator.failure = None
    browser.click("#submit")
    browser.wait(lambda: "?session=" in browser.url())


def test_an_upload_whose_reply_was_lost_is_sent_again_as_the_same_session(
    browser: Browser, site: Site, recording: Path
) -> None:
    choose(browser, site.url, recording)
    site.orchestrator.lost_reply = UnavailableError("Away.", reason="UNAVAILABLE")
    browser.click("#submit")
    browser.wait(lambda: shows(browser, "not certain"))

    site.orchestrator.failure = None
    browser.click("#submit")

    browser.wait(lambda: "?session=" in browser.url())
    assert len(site.orchestrator.drafts) == 1


def test_leaving_is_asked_about_while_an_upload_is_under_way_and_only_then(
    browser: Browser, site: Site, recording: Path
) -> None:
    choose(browser, site.url, recording)
    before = browser.run(ASKS_BEFORE_LEAVING)
    site.orchestrator.accepting.clear()
    browser.click("#submit")
    browser.wait(lambda: "/upload" in site.paths)
    during = browser.run(ASKS_BEFORE_LEAVING)

    site.orchestrator.accepting.set()

    browser.wait(lambda: "?session=" in browser.url())
    assert (before, during, browser.run(ASKS_BEFORE_LEAVING)) == (False, True, False)
