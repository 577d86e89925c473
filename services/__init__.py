"""Five stages. Each folder is one process; none imports another."""
