"""What the gateway's web server costs."""
