"""The stages of an answer: one file, one stage."""
