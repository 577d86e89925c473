"""Compose the vision service and run it: settings → models → analyzer → servicer."""
