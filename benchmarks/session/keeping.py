"""A file of what was measured already, so that a long run can go on where it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Kept:
    """What was measured, by name.

    Args:
        path: The file. None keeps everything in memory alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: Json = {}
        if path is not None and path.exists():
            self._known = json.loads(path.read_text(encoding="utf-8"))

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def once(self, name: str, measure: Callable[[], Json]) -> Json:
        """Return what was kept under a name, or measure it now and keep it, whole or not at all."""
        if name not in self._known:
            self._known[name] = measure()
            if self._path is not None:
                partial = self._path.with_suffix(".partial")
                partial.write_text(json.dumps(self._known, indent=1), encoding="utf-8")
                partial.replace(self._path)
        found: Json = self._known[name]
        return found
