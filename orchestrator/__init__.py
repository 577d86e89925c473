"""Takes sessions through the stages, durably, and writes their result."""
