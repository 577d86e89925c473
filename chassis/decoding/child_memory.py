"""How much memory the decoding children of a process may take at most, from its settings.

A container needs this and what the process itself takes. A child that runs into its own limit is refused its
file. A container that runs out of memory loses all that is at work in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.decoding.decoder import MAX_CHILD_COUNT

SOUND_STAGES = ("transcriber", "speaker")


def children_max_bytes(process: str, settings: Any) -> int:
    """Return the most bytes that the decoding children of a process may take together.

    Args:
        process: `transcriber`, `speaker`, `vision` or `orchestrator`. Others decode nothing.
        settings: Its settings.
    """
    if process == "orchestrator":
        count = settings.extract_count + settings.early_count
        return int(count * settings.extract_max_memory_bytes)
    growing_count = max(1, getattr(settings, "growing_count", 0))
    counts: Mapping[str, int] = dict.fromkeys(SOUND_STAGES, MAX_CHILD_COUNT + growing_count)
    if process == "vision":  # one more waits for the next recording
        counts = {process: settings.worker_count + growing_count + 1}
    return int(counts.get(process, 0) * settings.decoder_max_memory_bytes)
