"""Looks at faces, head pose and eyes."""
