"""`python -m benchmarks.assessor`."""

from __future__ import annotations

from benchmarks.assessor.measure import main

main()
