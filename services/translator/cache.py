"""Remembers translations for a while, so that nobody waits or pays for the same one twice.

In memory alone, bounded in size and age. Originals are not kept, only their hashes. Nothing is logged.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from chassis.model_info import ModelInfo
from services.translator.job import Job, Translation

ENTRY_CHARACTERS = 200
"""What an entry counts beside its text, for key and bookkeeping, so that tiny texts are bounded too."""


@dataclass(frozen=True)
class Remembered:
    """A translation and what made it."""

    translation: Translation
    model: ModelInfo


class TranslationCache:
    """Recent translations by their keys. The ones that were not asked for go first.

    Args:
        max_characters: Room for translated texts. 0 remembers nothing.
        max_age_s: Longest time that one is remembered, whatever is asked for.
        clock: Monotonic seconds.
    """

    def __init__(
        self, max_characters: int, max_age_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_characters = max_characters
        self._max_age_s = max_age_s
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[float, Remembered]] = OrderedDict()
        self._characters = 0

    def recall(self, key: bytes) -> Remembered | None:
        """Return what is remembered under a key."""
        with self._lock:
            if (entry := self._entries.get(key)) is None:
                return None
            since_s, remembered = entry
            if self._clock() - since_s > self._max_age_s:
                self._forget(key)
                return None
            self._entries.move_to_end(key)
            return remembered

    def keep(self, key: bytes, remembered: Remembered) -> None:
        """Remember a translation, and forget as many others as it needs room."""
        with self._lock:
            if key in self._entries:
                self._forget(key)
            self._entries[key] = (self._clock(), remembered)
            self._characters += _size(remembered)
            while self._characters > self._max_characters:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: bytes) -> None:
        _, remembered = self._entries.pop(key)
        self._characters -= _size(remembered)


def key_of(job: Job, text: str, context: str, backend: str, model: ModelInfo) -> bytes:
    """Hash all that a text's translation depends on. Parts can't run into each other.

    Args:
        job: Says the languages, the formality and the glossary.
        text: The text.
        context: What else of the job the backend shows to the model beside the text.
        backend: The backend's name.
        model: What translates, as far as it is known.
    """
    parts = (
        text,
        job.source_language_code,
        job.target_language_code,
        job.formality.value,
        job.glossary_id,
        context,
        backend,
        model.name,
        model.version,
    )
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _size(remembered: Remembered) -> int:
    return ENTRY_CHARACTERS + len(remembered.translation.text or "")
