"""The original system's dialect of the result document."""
