"""Parts of the transcriber's benchmark: what is transcribed, and by whom."""
