"""A browser by the W3C WebDriver protocol, which is plain HTTP: no client library is needed."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The protocol's own key of an element reference."""
START_TIMEOUT_S = 30.0


def browser_missing() -> str:
    """Return why no browser can be driven, or an empty string."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return (
        f"needs Debian's chromium and chromium-driver: no {' and no '.join(missing)} here" if missing else ""
    )


class StaleElementError(Exception):
    """The element that was found is no longer on the page."""


class Browser:
    """One window."""

    def __init__(self, http: httpx.Client, session: str) -> None:
        self._http = http
        self._session = session

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self._http.request(method, f"/session/{self._session}{path}", json=body)
        value = reply.json()["value"]
        if reply.is_error:
            if value["error"] == "stale element reference":
                raise StaleElementError(value["message"])
            raise AssertionError(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def open(self, url: str) -> None:
        self._send("POST", "/url", {"url": url})

    def url(self) -> str:
        return str(self._send("GET", "/url"))

    def resize(self, width_px: int, height_px: int) -> None:
        self._send("POST", "/window/rect", {"width": width_px, "height": height_px})

    def run(self, script: str, *arguments: Any) -> Any:
        return self._send("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector: str) -> str:
        found = self._send("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def type(self, selector: str, text: str) -> None:
        self._send("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def click(self, selector: str) -> None:
        self._send("POST", f"/element/{self.find(selector)}/click", {})

    def text(self, selector: str = "body") -> str:
        return str(self._send("GET", f"/element/{self.find(selector)}/text"))

    def texts(self, selector: str) -> list[str]:
        """Return the text of every element that a selector finds."""
        script = "return [...document.querySelectorAll(arguments[0])].map((node) => node.innerText)"
        return list(self.run(script, selector))

    def wait(self, condition: Callable[[], Any], timeout_s: float = 20.0) -> Any:
        """Return what `condition` returns once it is true."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                if value := condition():
                    return value
            except StaleElementError:
                pass  # drawn again between being found and being read
            if time.monotonic() > deadline_s:
                raise AssertionError(f"did not come about; the page shows: {self.text()[:600]}")
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        """Save the whole page as a picture."""
        metrics = self.run(
            "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        clip = {"x": 0, "y": 0, "width": metrics[0], "height": metrics[1], "scale": 1}
        body = {"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True, "clip": clip}}
        path.write_bytes(base64.b64decode(self._send("POST", "/goog/cdp/execute", body)["data"]))

    def keep(self, name: str) -> None:
        """Save a picture of the page where `BROWSER_SCREENSHOTS_DIR` says."""
        if folder := os.environ.get("BROWSER_SCREENSHOTS_DIR"):
            self.screenshot(Path(folder) / f"{name}.png")

    def open_tab(self) -> str:
        """Open a tab and look at it; return its name."""
        tab = str(self._send("POST", "/window/new", {"type": "tab"})["handle"])
        self.look_at(tab)
        return tab

    def tab(self) -> str:
        """Return the name of the tab that is looked at."""
        return str(self._send("GET", "/window"))

    def look_at(self, tab: str) -> None:
        self._send("POST", "/window", {"handle": tab})

    def close_tab(self) -> None:
        self._send("DELETE", "/window")

    def console(self) -> list[str]:
        """Return what the page complained about, refused scripts and styles included."""
        entries = self._send("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser without a screen; yields its window."""
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{_port(driver)}", timeout=START_TIMEOUT_S) as http:
            options = {
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--autoplay-policy=no-user-gesture-required", "--window-size=1200,900"],
            }  # fmt: skip
            capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            reply = http.post("/session", json={"capabilities": {"alwaysMatch": capabilities}})
            session = reply.json()["value"]
            assert "sessionId" in session, session
            try:
                yield Browser(http, session["sessionId"])
            finally:
                http.delete(f"/session/{session['sessionId']}")
    finally:
        driver.terminate()
        driver.wait(10)
        if driver.stdout:
            driver.stdout.close()


def _port(driver: subprocess.Popen[str]) -> int:
    for line in driver.stdout or ():
        if "started successfully on port" in line:
            return int(line.rstrip(".\n").rsplit(" ", 1)[1])
    raise AssertionError("chromedriver did not start")
