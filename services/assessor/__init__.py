"""Judges an answer by a rubric, every level tied to sentences of the answer."""
