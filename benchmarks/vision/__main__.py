"""`python -m benchmarks.vision`."""

from __future__ import annotations

from benchmarks.vision.measure import main

main()
