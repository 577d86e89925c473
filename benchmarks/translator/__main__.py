"""`python -m benchmarks.translator`."""

from __future__ import annotations

from benchmarks.translator.measure import main

main()
