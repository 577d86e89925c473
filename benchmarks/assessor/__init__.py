"""How well the assessor judges, over answers of a known level."""
