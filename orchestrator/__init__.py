"""Takes sessions through the stages and keeps what they found, across crashes and restarts."""
