"""Says how many voices speak, and when."""
