"""What a client sends: forms with recordings, bodies with links."""
