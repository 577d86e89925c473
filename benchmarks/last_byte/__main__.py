"""`python -m benchmarks.last_byte`."""

from __future__ import annotations

from benchmarks.last_byte.measure import main

main()
