"""Lets a local llama.cpp server read the services' instructions before anybody waits for them.

What it has read is kept on disk and comes back in a moment at the next start. Only instructions are kept,
never anything of an answer. A file's name is a digest of the model, the server's build and the instructions.
So it is out of use as soon as one of them changes. Whatever fails here costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

Instructions = list[dict[str, str]]
"""The messages that some prompts begin with, each with `role` and `content`."""

SERVICES = {"translator": 8, "assessor": 2}
"""Whose instructions are read, by the folder of the service, and in how many places each. Requests that
come together find the same beginning only in different places. A session has two answers in work, each with
four segments under way. The first places are the first to be given up when the context is full."""
FIRST_PLACE = 2
"""Those before stay empty, for requests that begin otherwise: they take a place that was never asked."""
SPEAK_TIMEOUT_S = 60.0
"""A service's own Python starts and reads its texts within a second or two."""
READ_TIMEOUT_S = 600.0
"""One busy thread reads 1,000 tokens in two minutes."""
RESTORE_TIMEOUT_S = 30.0
"""Under a second for 30 MB, and more on a cold disk."""
SUFFIX = ".slot"
ONLY_OURS = 0o700

logger = logging.getLogger(__name__)


def ask_services(services: Mapping[str, int] = SERVICES) -> list[Instructions]:
    """Ask each service's own code for its instructions. One that does not answer is passed over.

    Args:
        services: How many places each of their conversations is wanted in, by the service's folder.

    Returns:
        The conversations, each as often as it is wanted.
    """
    found: list[Instructions] = []
    for service, place_count in services.items():
        command = [sys.executable, "-m", f"services.{service}.instructions"]
        try:
            said = subprocess.run(command, capture_output=True, timeout=SPEAK_TIMEOUT_S, check=True)
            found += [one for one in json.loads(said.stdout) for _ in range(place_count)]
        except (OSError, ValueError, subprocess.SubprocessError):
            logger.warning("a service does not say its instructions", extra={"service": service})
    return found


class WarmUp:
    """Lets a server read instructions, each in a place of its own.

    Args:
        url: The server.
        folder: Where what was read is kept. It is only this user's.
        key: Tells models, builds and contexts apart.
    """

    def __init__(self, url: str, folder: Path, key: str) -> None:
        self._url = url
        self._folder = folder
        self._key = key

    def run(self, wanted: Sequence[Instructions], stop: threading.Event) -> int:
        """Read what is not kept, keep it, and forget what is out of use.

        Args:
            wanted: The conversations. One that comes again is copied, not read again.
            stop: Ends it.

        Returns:
            How many of them the server had to read.
        """
        names = [self._name_of(instructions) for instructions in wanted]
        self._forget_all_but(names)
        read: set[str] = set()
        with httpx.Client(base_url=self._url, trust_env=False) as client:
            for place, (instructions, name) in enumerate(zip(wanted, names, strict=True), FIRST_PLACE):
                if stop.is_set():
                    break
                if not self._restore(client, place, name) and name not in read:
                    read.add(name)
                    self._read(client, place, name, instructions)
        return len(read)

    def _name_of(self, instructions: Instructions) -> str:
        known = json.dumps([self._key, instructions], sort_keys=True)
        return hashlib.sha256(known.encode()).hexdigest() + SUFFIX

    def _forget_all_but(self, names: Sequence[str]) -> None:
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path.name not in names:
                path.unlink(missing_ok=True)

    def _restore(self, client: httpx.Client, place: int, name: str) -> bool:
        path = self._folder / name
        if not path.is_file():
            return False
        if self._moved(client, place, "restore", name):
            return True
        with suppress(OSError):  # damaged, or of another build
            path.unlink(missing_ok=True)
        return False

    def _read(self, client: httpx.Client, place: int, name: str, instructions: Instructions) -> None:
        asked = {"messages": instructions, "max_tokens": 1, "id_slot": place, "cache_prompt": True}
        if _posted(client, "/v1/chat/completions", asked, READ_TIMEOUT_S) is None:
            return
        if not self._moved(client, place, "save", name):
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)

    def _moved(self, client: httpx.Client, place: int, action: str, name: str) -> bool:
        """Save or restore a place. The server calls it a success, too, where there was nothing in it."""
        told = _posted(client, f"/slots/{place}?action={action}", {"filename": name}, RESTORE_TIMEOUT_S)
        count = told.get("n_saved", told.get("n_restored")) if told is not None else None
        return isinstance(count, int) and count > 0


def private_folder(path: Path) -> Path | None:
    """Make a folder that is only this user's. None where that is not possible."""
    try:
        path.mkdir(mode=ONLY_OURS, parents=True, exist_ok=True)
        path.chmod(ONLY_OURS)
    except OSError:
        return None
    return path


def _posted(client: httpx.Client, path: str, asked: Any, timeout_s: float) -> dict[str, Any] | None:
    """Send a request. None where it did not succeed."""
    try:
        reply = client.post(path, json=asked, timeout=timeout_s)
        told = reply.json() if reply.is_success else None
    except (httpx.HTTPError, ValueError):
        return None
    return told if isinstance(told, dict) else None
