"""What the Dockerfiles of all processes share: locked packages, building, sizes."""
