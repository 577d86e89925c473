"""Translates what was said, segment by segment."""
