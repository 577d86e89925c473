"""Turns recorded speech into text with word times."""
