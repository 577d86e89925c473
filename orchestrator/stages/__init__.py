"""The stages of an answer. One file is one stage and has its name; the rest is what they share."""
