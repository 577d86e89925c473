"""Recordings on the page of a result: what can be played is, and what can't be is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.answered import answers
from tests.browser.recordings import write_recording
from tests.browser.site import Site
from tests.browser.visits import open_result
from tests.browser.webdriver import Browser, browser_missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser_missing()), reason=browser_missing() or "a browser is here"),
]
CLOCK_START_S = 5


def test_a_recording_that_the_browser_can_not_play_is_said_and_offered(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "1.avi"
    write_recording(path, 2, picture_codec="mpeg4")

    session_id = open_result(browser, site, answers({"video_file": "answer one.avi"}), path)

    browser.wait(lambda: "can't play this recording" in browser.text("#result-view"))
    link = browser.run(
        "const link = document.querySelector('.unplayable a'); return [link.pathname, link.download]"
    )
    assert link == [f"/media/{session_id}/1", "answer one.avi"]
    browser.keep("7-unplayable")


def test_a_picture_that_the_browser_can_not_show_is_said(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "1.mov"
    write_recording(path, 2, picture_codec="mpeg4", sound_codec="aac")
    frame_rate = {"value": 10.0, "unit": "fps", "coverage": None, "outcome": "OK", "reason": None}

    open_result(browser, site, answers({"measures": {"recording": {"frame_rate": frame_rate}}}), path)

    browser.wait(lambda: "can't show its picture" in browser.text("#result-view"))
    assert browser.run("return document.querySelector('.unplayable a') !== null")


def test_a_recording_without_a_picture_is_played_without_a_word(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "1.mov"
    write_recording(path, 2, picture_codec="mpeg4", sound_codec="aac")
    frame_rate = {"value": None, "unit": "fps", "coverage": None, "outcome": "NO_VIDEO", "reason": "None."}

    open_result(browser, site, answers({"measures": {"recording": {"frame_rate": frame_rate}}}), path)

    browser.wait(lambda: browser.run("return document.querySelector('video').readyState > 1"))
    assert browser.run("return document.querySelector('.unplayable').hidden")


def test_a_recording_that_is_gone_is_not_offered(browser: Browser, site: Site) -> None:
    open_result(browser, site, answers({}))

    browser.wait(lambda: "no recording to play" in browser.text("#result-view"))
    assert browser.run("return document.querySelector('.unplayable a') === null")


def test_a_recording_that_never_arrived_is_not_asked_for(
    browser: Browser, site: Site, recording: Path
) -> None:
    document = answers({}, {})
    document["results"][1]["error"] = {"stage": "fetch", "reason": "DOWNLOAD_REFUSED", "message": ""}
    document["provenance"]["inputs"] = [
        {"position": 1, "video_file": "video_1.webm", "sha256": "ab" * 32, "bytes": 3},
        {"position": 2, "video_file": "video_2", "sha256": None, "bytes": None},
    ]

    open_result(browser, site, document, recording)

    assert "There is no recording to play. It never arrived." in browser.text("#result-view")
    assert "refuses the file" in browser.text("#result-view")
    assert not [path for path in site.paths if path.startswith("/media/") and path.endswith("/2")]


@pytest.mark.parametrize("extension", ["webm", "mp4"])
@pytest.mark.parametrize("told", [None, CLOCK_START_S])
def test_a_sentence_is_played_where_it_is_said_whatever_the_recording_s_clock_begins_with(
    browser: Browser, site: Site, tmp_path: Path, extension: str, told: float | None
) -> None:
    path = tmp_path / f"1.{extension}"
    codecs = {"webm": ("libvpx", "libopus"), "mp4": ("libx264", "aac")}[extension]
    write_recording(
        path,
        6,
        picture_codec=codecs[0],
        sound_codec=codecs[1],
        options={"output_ts_offset": str(CLOCK_START_S)},
    )
    told_or_not = {} if told is None else {"recording": {"clock_offset_s": told}}
    open_result(browser, site, answers(told_or_not), path)
    browser.run(
        "const player = document.querySelector('video');"
        "player.addEventListener('seeked', () => (window.at ??= player.currentTime))"
    )

    browser.click(".transcript li:nth-child(3) .time")

    at = browser.wait(lambda: browser.run("return window.at"))
    assert at == pytest.approx(CLOCK_START_S + 2, abs=0.15)
    browser.wait(
        lambda: browser.run("return document.querySelector('.transcript li:nth-child(3).now') !== null")
    )
