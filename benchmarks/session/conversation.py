"""How the benchmark speaks with an arm's process: a line of JSON each way. Nothing but the standard library.

The process of an arm may run an older build, so this module is read by its path there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

Json = dict[str, Any]


class Arm:
    """An arm's side. Takes standard output for itself, so that nothing printed gets between the lines."""

    def __init__(self) -> None:
        self._replies: TextIO = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(self, **said: Any) -> None:
        """Send a line."""
        self._replies.write(json.dumps(said) + "\n")
        self._replies.flush()

    def serve(self, do: Callable[[Json], Json]) -> None:
        """Say that all is loaded, and answer orders until there are no more. Errors are answered, too."""
        self.say(ready=True)
        for line in sys.stdin:
            try:
                reply = do(json.loads(line))
            except Exception as error:  # noqa: BLE001 - whatever it is belongs in the table
                reply = {"error": f"{type(error).__name__}: {error}"}
            self.say(**reply)
