"""`python -m benchmarks.gateway`."""

from __future__ import annotations

from benchmarks.gateway.measure import main

if __name__ == "__main__":
    main()
