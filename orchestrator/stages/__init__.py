"""The stages of an answer. One file is one stage and has its name. The rest is what they share."""
