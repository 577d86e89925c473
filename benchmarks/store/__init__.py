"""What the media store costs: a folder beside S3 (moto, on this machine)."""
