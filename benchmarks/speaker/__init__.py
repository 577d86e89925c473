"""Parts of the speaker benchmark: recordings with truth, how turns are scored, and who is compared."""
