"""HTTP routes, a file for each thing that a client deals with."""
