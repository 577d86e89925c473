"""How many pieces a recording may claim to have: as many as fit into the memory of whoever reads it.

FFmpeg makes its list of all pieces as it opens an MP4, by what the file claims.
"""

from __future__ import annotations

import resource

ENTRY_BYTES = 92
"""Of one piece while the list is made. 86 were measured where an edit covers the whole track (FFmpeg then has
two lists for a moment), and a table of sizes takes 4 more."""
BEFORE_BYTES = 207 << 20
"""Address space of a child before it opens a file. 199 MiB were measured: Python, numpy, PyAV."""
MAX_ENTRY_COUNT = 20_000_000
"""Of a process without such a limit."""


def max_entry_count(max_memory_bytes: int | None = None) -> int:
    """Return how many pieces of picture and sound a file may claim, edits counted.

    With 384 MiB it is 2.0 million. Five hours at 60 pictures a second, with AAC at 48 kHz, have 1.9 million.

    Args:
        max_memory_bytes: Address space of the reader. None: this process's own limit.
    """
    if max_memory_bytes is None:
        max_memory_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    if max_memory_bytes == resource.RLIM_INFINITY:
        return MAX_ENTRY_COUNT
    return min(MAX_ENTRY_COUNT, max(0, max_memory_bytes - BEFORE_BYTES) // ENTRY_BYTES)
