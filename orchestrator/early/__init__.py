"""Works on recordings while they arrive. What it finds is used where the finished file confirms it."""
