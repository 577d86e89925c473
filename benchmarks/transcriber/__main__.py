"""`python -m benchmarks.transcriber`."""

from __future__ import annotations

from benchmarks.transcriber.measure import main

main()
