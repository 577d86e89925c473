"""What a person does on the page, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.playing_orchestrator import HOSTILE
from tests.browser.site import Site
from tests.browser.webdriver import Browser


def shows(browser: Browser, words: str) -> bool:
    return words in browser.text("#notice")


def in_sight(browser: Browser, selector: str) -> bool:
    """Return whether an element stands within the window, and nothing lies over it."""
    return bool(
        browser.run(
            """
            const node = document.querySelector(arguments[0]);
            const box = node.getBoundingClientRect();
            const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && node.contains(seen);
            """,
            selector,
        )
    )


def choose(browser: Browser, base_url: str, *recordings: Path) -> None:
    """Open the page and choose recordings."""
    browser.open(base_url)
    browser.wait(lambda: "Choose recordings" in browser.text())
    browser.type("#files", "\n".join(str(path) for path in recordings))
    browser.wait(
        lambda: browser.run("return document.querySelectorAll('#chosen li').length") == len(recordings)
    )


def submit(browser: Browser, base_url: str, *recordings: Path) -> None:
    """Open the page and fill it in."""
    choose(browser, base_url, *recordings)
    browser.type("#candidate", f"Ada {HOSTILE}")
    for number in range(1, len(recordings) + 1):
        browser.type(f"#question-{number}", f"What did you change? {HOSTILE}")


def open_result(browser: Browser, site: Site, document: dict[str, Any], *recordings: Path) -> str:
    """Open the page of a completed session; return the session's identifier."""
    session_id = site.completed(document, *recordings)
    browser.open(site.address(session_id))
    browser.wait(lambda: "How this result was made" in browser.text())
    return session_id
