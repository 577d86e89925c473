"""Seconds from a recording's last byte to its result."""
