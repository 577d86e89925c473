"""What a person does on the page, for tests."""

from __future__ import annotations

from pathlib import Path

from tests.browser.playing_orchestrator import HOSTILE
from tests.browser.webdriver import Browser


def shows(browser: Browser, words: str) -> bool:
    return words in browser.text("#notice")


def submit(browser: Browser, base_url: str, *recordings: Path) -> None:
    browser.open(base_url)
    browser.wait(lambda: "Choose recordings" in browser.text())
    browser.type("#candidate", f"Ada {HOSTILE}")
    browser.type("#files", "\n".join(str(path) for path in recordings))
    for number in range(1, len(recordings) + 1):
        browser.type(f"#question-{number}", f"What did you change? {HOSTILE}")
