"""`python -m benchmarks.upload_path`."""

from __future__ import annotations

from benchmarks.upload_path.measure import main

main()
