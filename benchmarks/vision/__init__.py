"""Parts of the vision benchmark: the clip, and the ways of looking at it that are compared."""
