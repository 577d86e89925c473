"""The transcriber on one NVIDIA GPU: what is brought to the machine, what is measured there."""
