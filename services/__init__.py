"""Five stages. Each folder is one process. None imports another."""
