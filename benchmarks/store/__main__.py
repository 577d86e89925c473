"""`python -m benchmarks.store`."""

from __future__ import annotations

from benchmarks.store.measure import main

main()
