"""The page in a real browser: upload, progress, result, player; and what a hostile answer can do to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.browser.playing_orchestrator import HOSTILE, PlayingOrchestrator
from tests.browser.webdriver import Browser, browser_missing, open_browser
from tests.gateway_bench import listening

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]

FRAME_RATE_HZ = 10
DURATION_S = 4
MAX_FILE_BYTES = 2_000_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as window:
        yield window


@pytest.fixture
def base_url(tmp_path: Path) -> Iterator[str]:
    settings = GatewaySettings(rate_limit_uploads="", max_file_bytes=MAX_FILE_BYTES)
    app = create_app(settings, PlayingOrchestrator(), MediaStore((tmp_path / "store").as_uri()))
    with listening(app) as url:
        yield url


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A picture that gets brighter, in a container that Chromium plays."""
    path = tmp_path / "answer.webm"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libvpx", rate=FRAME_RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(FRAME_RATE_HZ * DURATION_S):
            shade = np.full((180, 320, 3), 40 + 4 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, "rgb24")))
        container.mux(stream.encode(None))
    return path


def keep(browser: Browser, name: str) -> None:
    """Save a picture of the page where `BROWSER_SCREENSHOTS_DIR` says."""
    folder = os.environ.get("BROWSER_SCREENSHOTS_DIR")
    if folder:
        browser.screenshot(Path(folder) / f"{name}.png")


def shows(browser: Browser, words: str) -> bool:
    return words in browser.text("#notice")


def submit(browser: Browser, base_url: str, *recordings: Path) -> None:
    browser.open(base_url)
    browser.wait(lambda: "Choose recordings" in browser.text())
    browser.type("#candidate", f"Ada {HOSTILE}")
    browser.type("#files", "\n".join(str(path) for path in recordings))
    for number in range(1, len(recordings) + 1):
        browser.type(f"#question-{number}", f"What did you change? {HOSTILE}")


def test_an_interview_goes_from_upload_over_progress_to_its_result(
    browser: Browser, base_url: str, recording: Path
) -> None:
    submit(browser, base_url, recording, recording)
    keep(browser, "1-upload")
    browser.click("#submit")

    browser.wait(lambda: "Assessment under way" in browser.text())
    browser.wait(lambda: "Translation" in browser.text("#stages") and "left out" in browser.text("#stages"))
    keep(browser, "2-progress")
    browser.wait(lambda: "of 100" in browser.text())

    text = browser.text()
    assert "?session=" in browser.url()
    assert "They never move a level or a score" in text
    assert "baseline" in text
    assert "Last year our build took forty minutes." in text
    assert "4.2 of 5" in text
    assert "Too little was said to judge this." in text
    assert "another voice" in text
    assert "Sound: The recording can't be decoded." in text
    assert "Second voice" in text
    browser.run("document.querySelectorAll('details').forEach((node) => (node.open = true))")
    text = browser.text()
    assert "131 /min" in text
    assert "No face is visible in this recording." in text
    assert "This is not set up on this system" in text
    keep(browser, "3-result")


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
        ("notes.txt", "it is not an mp4"),
        ("empty.mp4", "it is empty"),
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

    browser.wait(lambda: "is not a video" in browser.text("#notice"))
    assert browser.run("return document.querySelector('#submit').disabled") is False


def test_on_a_narrow_screen_nothing_is_cut_off(browser: Browser, base_url: str, recording: Path) -> None:
    browser.resize(500, 900)
    submit(browser, base_url, recording)
    browser.click("#submit")
    browser.wait(lambda: "of 100" in browser.text())

    overflow = browser.run(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    keep(browser, "4-narrow")
    browser.resize(1200, 900)
    assert overflow <= 0
