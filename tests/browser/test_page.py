"""The page in a real browser: upload, progress, result, player; and what a hostile answer can do to it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.browser.playing_orchestrator import HOSTILE
from tests.browser.site import MAX_FILE_BYTES
from tests.browser.visits import shows, submit
from tests.browser.webdriver import Browser, browser_missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]


def test_an_interview_goes_from_upload_over_progress_to_its_result(
    browser: Browser, base_url: str, recording: Path
) -> None:
    submit(browser, base_url, recording, recording)
    browser.keep("1-upload")
    browser.click("#submit")

    browser.wait(lambda: "Assessment under way" in browser.text())
    browser.wait(lambda: "Translation" in browser.text("#stages") and "left out" in browser.text("#stages"))
    browser.keep("2-progress")
    browser.wait(lambda: "of 100" in browser.text())

    text = browser.text()
    assert "?session=" in browser.url()
    assert "They never change a level or a score" in text
    assert "baseline" in text
    assert "Last year our build took forty minutes." in text
    assert "Level 4.2" in text
    assert "Too little was said to judge this." in text
    assert "another voice" in text
    assert "Sound: The recording can't be decoded." in text
    assert "Second voice" in text
    browser.run("document.querySelectorAll('details').forEach((node) => (node.open = true))")
    text = browser.text()
    assert "131 /min" in text
    assert "No face is visible in this recording." in text
    assert "This is not set up on this system" in text
    browser.keep("3-result")


def test_a_sentence_opens_the_video_at_its_time(browser: Browser, base_url: str, recording: Path) -> None:
    submit(browser, base_url, recording)
    browser.click("#submit")
    browser.wait(lambda: "of 100" in browser.text())
    browser.wait(lambda: browser.run("return document.querySelector('video').readyState >= 1"))

    browser.click(".transcript li:nth-child(3) .time")

    browser.wait(lambda: browser.run("return document.querySelector('video').currentTime >= 2"))
    browser.wait(lambda: browser.run("return document.querySelector('.transcript li.now') !== null"))
    third, now = (
        browser.run(f"return document.querySelector('.transcript {which}').textContent")
        for which in ("li:nth-child(3)", "li.now")
    )
    assert now == third


def test_what_a_candidate_typed_or_said_stays_text(browser: Browser, base_url: str, recording: Path) -> None:
    submit(browser, base_url, recording)
    browser.click("#submit")
    browser.wait(lambda: "of 100" in browser.text())

    assert HOSTILE in browser.text()
    assert browser.run("return document.querySelectorAll('main img').length") == 0
    assert browser.run("return document.title") == "Interview assessment"
    assert not [line for line in browser.console() if "Content Security Policy" in line]


def test_what_can_not_be_taken_is_said_before_anything_is_sent(
    browser: Browser, base_url: str, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("text")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "large.mp4").write_bytes(b"\x00" * (MAX_FILE_BYTES + 1))
    browser.open(base_url)
    browser.wait(lambda: "Choose recordings" in browser.text())

    for name, words in (
        ("notes.txt", "is not an mp4"),
        ("empty.mp4", "is empty"),
        ("large.mp4", "larger than"),
    ):
        browser.type("#files", str(tmp_path / name))
        browser.wait(partial(shows, browser, words))
    browser.type("#files", "\n".join([str(recording)] * 6))
    browser.wait(lambda: "no more than 5" in browser.text("#notice"))

    assert browser.run("return document.querySelectorAll('#chosen li').length") == 5


def test_a_file_that_lies_about_what_it_is_is_refused_with_the_servers_words(
    browser: Browser, base_url: str, tmp_path: Path
) -> None:
    (tmp_path / "fake.mp4").write_text("this is text, whatever its name says. " * 50)
    submit(browser, base_url, tmp_path / "fake.mp4")

    browser.click("#submit")

    browser.wait(lambda: "is not a video" in browser.text("#chosen"))
    assert browser.run("return document.querySelector('#submit').disabled") is False


def test_on_a_narrow_screen_nothing_is_cut_off(browser: Browser, base_url: str, recording: Path) -> None:
    browser.resize(500, 900)
    submit(browser, base_url, recording)
    browser.click("#submit")
    browser.wait(lambda: "of 100" in browser.text())

    overflow = browser.run(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    browser.keep("4-narrow")
    browser.resize(1200, 900)
    assert overflow <= 0
