"""Runs the stages: waits for them, tries them, and says how each one went. It knows no stage by name."""
