"""Keeps Matplotlib away while MediaPipe is imported.

MediaPipe imports it for drawings that nobody makes here. It would make an image larger, and write a list of
fonts at every start of a container that keeps none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

NAMES = ("matplotlib", "matplotlib.pyplot")


@contextmanager
def matplotlib_left_out() -> Iterator[None]:
    """Let empty modules stand for Matplotlib. Where it is imported already, nothing changes."""
    if NAMES[0] in sys.modules:
        yield
        return
    empty = {name: ModuleType(name) for name in NAMES}
    vars(empty["matplotlib"])["pyplot"] = empty["matplotlib.pyplot"]
    sys.modules.update(empty)
    try:
        yield
    finally:
        for name in NAMES:
            sys.modules.pop(name, None)
