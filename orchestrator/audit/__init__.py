"""Who did what to which session: an append-only log whose records are chained by hash."""
