"""The `interview` command: submit sessions, watch them, fetch models."""
