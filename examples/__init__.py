"""Clients of other teams, as they would write them. See `README.md`."""
