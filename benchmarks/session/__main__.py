"""`python -m benchmarks.session`."""

from __future__ import annotations

from benchmarks.session.measure import main

main()
