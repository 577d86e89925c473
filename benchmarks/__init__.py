"""Speed, memory and quality: each prints a table and ends its standard output with one line of JSON."""
