"""The `interview` command: submits answers, follows sessions, fetches models, runs the demo."""
