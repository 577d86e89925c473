"""`python -m benchmarks.speaker`."""

from __future__ import annotations

from benchmarks.speaker.measure import main

main()
