"""Whole sessions: the design document's monolith, an earlier build, and ours."""
